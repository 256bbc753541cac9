#!/usr/bin/env python3
"""essor beside DuckDB on the same file, in the same run, on two threads each.

    cargo build --release && python3 benches/peers.py [--rows 10000000] [--essor PATH] [--runs 3]

Prints a table of times and ratios: ingest of a long usage CSV (essor: checked row by row and
committed durably; DuckDB: `read_csv` into a table of a database file), its monthly query, the
start-up, and a report from a warm store. Needs the Python package duckdb.
"""
import argparse, os, pathlib, shutil, subprocess, sys, tempfile, time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
METRICS = ["messages_sent", "signups", "dau", "mau_30d"]
MONTHLY = """
    SELECT platform, metric, date_trunc('month', {day}) AS month, SUM(value) AS total, COUNT(*) AS days
    FROM usage WHERE metric IN ('messages_sent', 'signups')
    GROUP BY platform, metric, date_trunc('month', {day}) ORDER BY platform, metric, month
"""


def make(path, rows):
    """date,platform,metric,value: ten years of days, four metrics, as many platforms as it takes."""
    import datetime
    days = [str(datetime.date(2010, 1, 1) + datetime.timedelta(i)) for i in range(3650)]
    written = 0
    with open(path, "w") as file:
        file.write("date,platform,metric,value\n")
        platform = 0
        while written < rows:
            name, lines = f"Messenger {platform:04d}", []
            for i, day in enumerate(days):
                for j, metric in enumerate(METRICS):
                    if written < rows:
                        lines.append(f"{day},{name},{metric},{(i * 7919 + platform * 104729 + j * 15485863) % 1000003}\n")
                        written += 1
            file.write("".join(lines))
            platform += 1


def best(runs, what, before=lambda: None):
    times = []
    for _ in range(runs):
        before()
        start = time.perf_counter()
        what()
        times.append(time.perf_counter() - start)
    return min(times)


def duckdb_process(database, sql):
    code = f"import duckdb; c = duckdb.connect({database!r}); c.execute('SET threads = 2'); c.execute({sql!r}).fetchall(); c.close()"
    subprocess.run([sys.executable, "-c", code], check=True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rows", type=int, default=10_000_000)
    target = os.environ.get("CARGO_TARGET_DIR", str(REPOSITORY / "target"))
    arguments.add_argument("--essor", default=f"{target}/release/essor")
    arguments.add_argument("--runs", type=int, default=3)
    given = arguments.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="essor-bench-"))
    csv, project, database = folder / "usage.csv", folder / "project", folder / "peer.duckdb"
    project.mkdir()
    (project / "essor.toml").write_text("")
    make(csv, given.rows)
    print(f"{given.rows:,} rows, {csv.stat().st_size / 1e6:.0f} MB, best of {given.runs}, 2 threads\n")

    def essor(*words, cwd=project):
        subprocess.run([given.essor, "--threads", "2", *words], cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def fresh_store():
        shutil.rmtree(project / ".essor", ignore_errors=True)

    def fresh_database():
        database.unlink(missing_ok=True)

    read = f"CREATE TABLE usage AS SELECT * FROM read_csv('{csv}')"
    lines = []
    nothing = best(given.runs, lambda: duckdb_process(":memory:", "SELECT 1"))
    lines.append(("ingest of the CSV", best(given.runs, lambda: essor("ingest", str(csv)), fresh_store), best(given.runs, lambda: duckdb_process(str(database), read), fresh_database) - nothing))
    essor_monthly = MONTHLY.format(day="day")
    lines.append(("its monthly query", best(given.runs, lambda: essor("query", "--sql", essor_monthly, "--format", "csv", "-o", str(folder / "a.csv"))), best(given.runs, lambda: duckdb_process(str(database), f"COPY ({MONTHLY.format(day='date')}) TO '{folder / 'b.csv'}'")) - nothing))
    normal = lambda name: [line.replace(" 00:00:00", "").replace("T00:00:00", "") for line in (folder / name).read_text().splitlines()[1:]]
    assert normal("a.csv") == normal("b.csv"), "the answers differ"
    size = sum(f.stat().st_size for f in (project / ".essor").rglob("*") if f.is_file())
    report = folder / "report"
    shutil.copytree(REPOSITORY / "data", report / "data")
    shutil.copy(REPOSITORY / "essor.toml", report)
    essor("report", "2016-02", cwd=report)
    lines.append(("start-up (--version)", best(20, lambda: essor("--version")), None))
    lines.append(("report 2016-02, warm store", best(given.runs, lambda: essor("report", "2016-02", cwd=report)), None))
    lines.append(("report 2022-11 of Mastodon, warm", best(given.runs, lambda: essor("report", "2022-11", "--platform", "Mastodon", cwd=report)), None))

    print(f"{'':34}{'essor':>10}{'DuckDB':>10}{'ratio':>8}")
    for name, ours, theirs in lines:
        peer = f"{theirs:>9.2f}s{ours / theirs:>8.2f}" if theirs else ""
        print(f"{name:34}{ours:>9.3f}s{peer}")
    print(f"\nDuckDB's times are less {nothing:.2f} s, which Python and its import take. Answers are equal row for row.")
    print(f"The store: {size / 1e6:.0f} MB; DuckDB's file: {database.stat().st_size / 1e6:.0f} MB.")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
