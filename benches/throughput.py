#!/usr/bin/env python3
"""How fast essor takes in what messengers emit, beside DuckDB and Polars reading the same file.

    python3 benches/throughput.py [--size 1000] [--runs 3] [--essor PATH] [--folder DIR] [--only csv,ndjson,reports]

Makes three files of `--size` megabytes, the same ones every time: user-days (user,day,messages; 30 days) as CSV
and as NDJSON, and reports as Matrix Synapse phones them home, with all fields of a real one, eight a server and day.
Each is read by every engine in turn, `--runs` times around, each time in a fresh process on two threads with the
file in the page cache; the best time counts, and the greatest peak memory. essor is `essor init` (not timed) and
`essor ingest FILE`, its start included. DuckDB is `CREATE TABLE t AS SELECT * FROM read_csv (read_json)` of an
in-memory database, Polars is `read_csv` (`read_ndjson`), both finding the types themselves; their times are less what
Python and the import take.

The work is not the same. The peers parse the file into columns in memory, and are done. essor checks every row and
value, makes a keyed pseudonym of every user, unites users and messages into bitmaps (or takes the last report of
each server and day), hashes the bytes so that a file counts once, and syncs a committed store to the disk.

What essor kept must be what was made: rows, users, user-days and messages, or every metric of the last reports of
each day, counted and summed; nothing rejected. Peers must have read as many rows. Else the script fails.
Needs the Python packages duckdb and polars.
"""

import argparse
import csv
import dataclasses
import datetime
import hashlib
import io
import multiprocessing
import os
import pathlib
import shutil
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "benches" / "peers"))
from measure import command  # noqa: E402: a process with its wall time, CPU time and peak memory

DAYS = [datetime.date(2016, 2, 1) + datetime.timedelta(day) for day in range(30)]
REPORTS_A_DAY = 8

PEERS = {
    "DuckDB": "import duckdb; c = duckdb.connect(); c.execute('SET threads = 2'); c.execute('SET enable_progress_bar = false')",
    "Polars": "import polars",
}
READ = {
    ("DuckDB", "csv"): "c.execute('CREATE TABLE t AS SELECT * FROM read_csv(?)', [{path!r}]); print(c.execute('SELECT count(*) FROM t').fetchone()[0])",
    ("DuckDB", "ndjson"): "c.execute('CREATE TABLE t AS SELECT * FROM read_json(?)', [{path!r}]); print(c.execute('SELECT count(*) FROM t').fetchone()[0])",
    ("Polars", "csv"): "print(polars.read_csv({path!r}).height)",
    ("Polars", "ndjson"): "print(polars.read_ndjson({path!r}).height)",
}

USER_DAYS = """
    SELECT count(*) AS days, sum(user_days) AS user_days, sum(messages) AS messages,
      (SELECT sum(users) FROM (SELECT bitmap_union_count(users) AS users FROM activity WHERE dimension = '' GROUP BY bucket)) AS users
    FROM (SELECT day, sum(bitmap_count(users)) AS user_days, sum(counts_sum(messages)) AS messages FROM activity WHERE dimension = '' GROUP BY day)
"""
FIGURES = "SELECT metric, dimension_value, count(*) AS figures, sum(value) AS total FROM usage GROUP BY metric, dimension_value"
LOADS = "SELECT count(*) AS loads, sum(rows_kept) AS kept, sum(rows_rejected) AS rejected FROM loads"


@dataclasses.dataclass
class Made:
    """A file, and what is in it."""

    name: str
    path: str
    format: str
    rows: int
    kept: int      # what essor counts as rows that are kept
    question: str  # what essor is asked,
    answer: list   # and what it must say, row by row


# --- the files -------------------------------------------------------------------------------------------------


def is_prime(number):
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


def user_days(path, size, format):
    """User-days of 30 days: on each, half of all users, in an order of its own."""
    row = {"csv": "%s,%s,%d\n", "ndjson": '{"user":"%s","day":"%s","messages":%d}\n'}[format]
    a_day = size // (len(row % ("0" * 16, DAYS[0], 50)) * len(DAYS))
    users = next(number for number in range(2 * a_day, 4 * a_day + 10) if is_prime(number))
    names = [hashlib.blake2b(user.to_bytes(8, "big"), digest_size=8).hexdigest() for user in range(users)]
    seen, messages = bytearray(users), 0
    with open(path, "w") as file:
        if format == "csv":
            file.write("user,day,messages\n")
        for number, day in enumerate(DAYS):
            # Steps of one length around a prime number of users meet nobody twice.
            step = 1 + (number + 1) * 7_368_787 % (users - 1)
            today = [(number * 104_729 + k * step) % users for k in range(a_day)]
            sent = [1 + (user * 7_919 + number * 31) % 99 for user in today]
            file.write("".join([row % (names[user], day, count) for user, count in zip(today, sent)]))
            for user in today:
                seen[user] = 1
            messages += sum(sent)
    rows = a_day * len(DAYS)
    answer = [{"days": len(DAYS), "user_days": rows, "messages": messages, "users": sum(seen)}]
    return Made(f"user-days, {format.upper()}", str(path), format, rows, rows, USER_DAYS, answer)


REPORT = (
    '{"cache_factor":0.5,"cpu_average":%d,"daily_active_e2ee_rooms":%d,"daily_active_rooms":%d,"daily_active_users":%d,'
    '"daily_e2ee_messages":%d,"daily_messages":%d,"daily_sent_e2ee_messages":%d,"daily_sent_messages":%d,'
    '"daily_user_type_bridged":%d,"daily_user_type_guest":%d,"daily_user_type_native":%d,"database_engine":"psycopg2",'
    '"database_server_version":"16.4","event_cache_size":10240,"homeserver":"%s","log_level":"INFO","memory_rss":%d,'
    '"monthly_active_users":%d,"python_version":"3.11.7","r30v2_users_all":%d,"r30v2_users_android":%d,'
    '"r30v2_users_electron":%d,"r30v2_users_ios":%d,"r30v2_users_web":%d,"server_context":%s,"timestamp":%d,'
    '"total_nonbridged_users":%d,"total_room_count":%d,"total_users":%d,"uptime_seconds":%d}\n'
)


def report(server, day, part):
    """The values of one report, in the order of `REPORT`."""
    monthly = 20 + server * 7_919 % 5_003
    daily = monthly // 3 + (server + 5 * day + part) % 7
    total, sent, plain = 2 * monthly + 10 * day + part, 11 * daily + part, 4 * daily + day
    moment = 1_454_284_800 + day * 86_400 + part * (86_400 // REPORTS_A_DAY) + server % 3_600
    context = '"research"' if server % 10 == 0 else "null"
    return (
        server % 90, daily // 2, daily, daily, 3 * sent, 2 * plain, sent, plain,
        server % 5, part % 3, 1 + day % 4, f"matrix{server:05d}.example.org", 129_292 + server,
        monthly, monthly // 2, monthly // 4, monthly // 9, monthly // 5, monthly // 6, context, moment,
        total - total // 7, 3 * monthly, total, 300 + day * 86_400 + part,
    )  # fmt: skip


def figures(report):
    """What essor takes of a report that stands for its day: (metric, part) and the value."""
    (_, _, _, daily, e2ee, plain, sent_e2ee, sent_plain, bridged, guest, native, _, _,
     monthly, stay, android, electron, ios, web, _, _, nonbridged, _, total, _) = report  # fmt: skip
    return {
        ("dau", ""): daily, ("mau_30d", ""): monthly, ("registered_users", ""): total, ("registered_users", "not bridged"): nonbridged,
        ("r30v2", ""): stay, ("r30v2", "android"): android, ("r30v2", "ios"): ios, ("r30v2", "electron"): electron, ("r30v2", "web"): web,
        ("signups", ""): native + guest + bridged, ("signups", "native"): native, ("signups", "guest"): guest, ("signups", "bridged"): bridged,
        ("messages_sent", ""): sent_plain + sent_e2ee, ("messages_seen", ""): plain + e2ee,
    }  # fmt: skip


def reports(path, size):
    """Reports of many servers as a collector receives them: every server eight times a day."""
    servers = max(1, size // (len(REPORT % report(1, 1, 1)) * len(DAYS) * REPORTS_A_DAY))
    totals = {}
    with open(path, "w") as file:
        for day in range(len(DAYS)):
            for part in range(REPORTS_A_DAY):
                values = [report(server, day, part) for server in range(servers)]
                file.write("".join([REPORT % said for said in values]))
            for said in values:  # the last of the day
                for key, value in figures(said).items():
                    totals[key] = totals.get(key, 0) + value
    said = servers * len(DAYS)
    answer = [{"metric": metric, "dimension_value": part, "figures": said, "total": total} for (metric, part), total in totals.items()]
    rows = said * REPORTS_A_DAY
    return Made("reports of Synapse, NDJSON", str(path), "ndjson", rows, said * len(totals), FIGURES, answer)


def make(kind, folder, size):
    if kind == "reports":
        return reports(folder / "reports.ndjson", size)
    return user_days(folder / f"user-days.{kind}", size, kind)


# --- the engines -----------------------------------------------------------------------------------------------


def by_essor(essor, project, made):
    shutil.rmtree(project, ignore_errors=True)
    command([essor, "init", str(project)], project.parent)
    with open(project / "essor.toml", "a") as toml:
        toml.write('\n[[source]]\npath = "data/user-days.*"\nplatform = "Bench"\n')
    file = project / "data" / pathlib.Path(made.path).name
    os.link(made.path, file)
    return command([essor, "--threads", "2", "ingest", str(file)], project)


def ask(essor, project, sql):
    said = command([essor, "--threads", "2", "query", "--sql", sql, "--format", "csv"], project).output
    number = lambda text: int(text) if text.lstrip("-").isdigit() else text  # noqa: E731
    return [{key: number(value) for key, value in row.items()} for row in csv.DictReader(io.StringIO(said))]


def check(essor, project, made):
    """Fails unless the store holds what was made."""
    (loads,) = ask(essor, project, LOADS)
    if loads != {"loads": 1, "kept": made.kept, "rejected": 0}:
        sys.exit(f"{made.name}: essor kept {loads}, of {made.kept} rows")
    order = lambda rows: sorted(map(str, rows))  # noqa: E731
    if order(ask(essor, project, made.question)) != order(made.answer):
        sys.exit(f"{made.name}: essor holds {ask(essor, project, made.question)}, not {made.answer}")


def by_peer(peer, made, folder):
    """Reads a file; or, given none, only starts."""
    code = PEERS[peer]
    if made:
        code += "; " + READ[peer, made.format].format(path=made.path)
    measured = command([sys.executable, "-c", code], folder)
    if made and int(measured.output) != made.rows:
        sys.exit(f"{made.name}: {peer} read {measured.output.strip()} rows of {made.rows}")
    return measured


# --- the run ---------------------------------------------------------------------------------------------------


def measure(made, essor, folder, runs):
    """The runs of each engine, in turn."""
    taken = {"essor": [], **{peer: [] for peer in PEERS}}
    for run in range(runs):
        taken["essor"].append(by_essor(essor, folder / "project", made))
        if run == 0:
            check(essor, folder / "project", made)
        for peer in PEERS:
            taken[peer].append(by_peer(peer, made, folder))
    shutil.rmtree(folder / "project")
    return taken


def line(made, taken, starts):
    size = os.path.getsize(made.path)
    best = {engine: min(run.seconds for run in runs) - starts.get(engine, 0) for engine, runs in taken.items()}
    cells = [made.name, f"{made.rows / 1e6:.1f} M"]
    for engine, runs in taken.items():
        ratio = "" if engine == "essor" else f" ({best['essor'] / best[engine]:.1f}x)"
        peak, cpu = max(run.peak for run in runs) / 1e6, min(run.cpu for run in runs)
        cells.append(f"{best[engine]:.1f} s{ratio}, {size / best[engine] / 1e6:.0f} MB/s, {peak:,.0f} MB, CPU {cpu:.1f} s")
    return "| " + " | ".join(cells) + " |"


def load():
    return "load " + " ".join(f"{of:.1f}" for of in os.getloadavg())


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = os.environ.get("CARGO_TARGET_DIR", str(REPOSITORY / "target"))
    options.add_argument("--essor", type=pathlib.Path, default=f"{target}/release/essor")
    options.add_argument("--size", type=int, default=1000, help="megabytes of each file")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--folder", type=pathlib.Path, help="where the files are made; kept (else a temporary folder, removed)")
    options.add_argument("--only", default="csv,ndjson,reports")
    given = options.parse_args()
    os.environ["POLARS_MAX_THREADS"] = "2"
    folder = given.folder.resolve() if given.folder else pathlib.Path(tempfile.mkdtemp(prefix="essor-throughput-"))
    folder.mkdir(exist_ok=True)
    essor = str(given.essor.resolve())
    print(f"{given.size} MB each, best of {given.runs} in turn, 2 threads each; {load()} at the start\n")
    starts = {peer: min(by_peer(peer, None, folder).seconds for _ in range(5)) for peer in PEERS}
    print("| file | rows | essor | DuckDB (essor takes) | Polars (essor takes) |\n|---|---:|---:|---:|---:|", flush=True)
    try:
        for kind in given.only.split(","):
            # In a process of its own: a child's peak begins at the memory of the process that started it.
            with multiprocessing.get_context("spawn").Pool(1) as maker:
                made = maker.apply(make, (kind, folder, given.size * 1_000_000))
            print(line(made, measure(made, essor, folder, given.runs), starts), flush=True)
            os.unlink(made.path)
    finally:
        if not given.folder:
            shutil.rmtree(folder)
    print("\nSeconds, throughput, peak memory, CPU time. Peers' times are less their start:", ", ".join(f"{peer} {seconds:.2f} s" for peer, seconds in starts.items()) + ";", load(), "at the end.")


if __name__ == "__main__":
    main()
