#!/usr/bin/env python3
"""How essor's ingest and its six questions grow: with users, and with the number of loads.

    python3 benches/scale.py --essor PATH [--users 1M,10M,100M] [--loads 1000] [--folder DIR]

A messenger is simulated for each size (30 days); its days are ingested one process a day, as a nightly
job would, with the last one measured; then the questions are asked, each in a process of its own. The
loads are days of a small messenger, ingested one by one, beside the same days from one file.
"""
import argparse, os, pathlib, shutil, subprocess, time

QUESTIONS = (["active_users", "--window", "1"], ["active_users_calendar", "--by", "month"], ["growth_accounting", "--by", "month"],
             ["power_users", "--window", "28"], ["retention", "--cohort", "week"], ["active_users", "--window", "30"])


def run(binary, words, folder):
    """Seconds and peak bytes of one process."""
    began = time.perf_counter()
    child = subprocess.Popen([binary, "--threads", "2", *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{words}: {child.stderr.read().decode()[-500:]}")
    return time.perf_counter() - began, usage.ru_maxrss * 1024


def suite(binary, folder):
    times = [run(binary, ["query", *words, "--format", "csv"], folder) for words in QUESTIONS]
    return sum(seconds for seconds, _ in times), max(peak for _, peak in times)


def best_suite(binary, folder, of=3):
    return min(suite(binary, folder) for _ in range(of))


def size(folder):
    return sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())


def users(binary, folder, number):
    root = folder / number
    shutil.rmtree(root, ignore_errors=True)
    count = float(number.rstrip("kM")) * {"k": 1e3, "M": 1e6}[number[-1]]
    made, _ = run(binary, ["simulate", "--days", "30", "--monthly-actives", number, "--signups", str(int(count * 0.0035)),
                           "--messages", str(int(count * 150)), "--seed", "7", "--no-signups", "-o", str(root)], folder)
    toml = root / "essor.toml"
    toml.write_text(toml.read_text().replace('dimensions = ["country"]', "dimensions = []"))
    days = sorted((root / "data" / "activity").iterdir())
    first, first_peak = run(binary, ["ingest", str(days[0])], root)
    rest = 0.0
    for day in days[1:-1]:
        rest += run(binary, ["ingest", str(day)], root)[0]
        day.unlink()  # the disk of a laptop
    last, last_peak = run(binary, ["ingest", str(days[-1])], root)
    asked, asked_peak = best_suite(binary, root)
    activity = size(root / ".essor" / "activity")
    print(f"| {number} | {made:.0f} s | {first:.1f} s | {last:.1f} s | {max(first_peak, last_peak) / 2**30:.2f} GiB | {asked:.2f} s | {asked_peak / 2**30:.2f} GiB | {activity / 1e6:.0f} MB |", flush=True)
    shutil.rmtree(root)


def loads(binary, folder, number):
    import duckdb
    many, one = folder / "many", folder / "one"
    for root in (many, one):
        shutil.rmtree(root, ignore_errors=True)
    run(binary, ["simulate", "--days", str(number), "--monthly-actives", "100k", "--seed", "7", "--no-signups", "-o", str(many)], folder)
    toml = many / "essor.toml"
    toml.write_text(toml.read_text().replace('dimensions = ["country"]', "dimensions = []"))
    (one / "data" / "activity").mkdir(parents=True)
    for name in ("essor.toml", "essor.key"):
        shutil.copy(many / name, one / name)
    duckdb.execute(f"COPY (SELECT user, day, messages FROM read_parquet('{many}/data/activity/*.parquet')) TO '{one}/data/activity/all.parquet'")
    began = time.perf_counter()
    for day in sorted((many / "data" / "activity").iterdir()):
        run(binary, ["ingest", str(day)], many)
    each = (time.perf_counter() - began) / number
    run(binary, ["ingest", "data"], one)
    many_s, one_s = best_suite(binary, many)[0], best_suite(binary, one)[0]
    print(f"\n{number} daily loads, {each:.2f} s each: the suite takes {many_s:.2f} s, of one load {one_s:.2f} s, ratio {many_s / one_s:.2f}")
    for root in (many, one):
        shutil.rmtree(root)


def main():
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--essor", required=True)
    given.add_argument("--users", default="1M,10M,100M")
    given.add_argument("--loads", type=int, default=1000)
    given.add_argument("--folder", default="scale")
    given = given.parse_args()
    folder = pathlib.Path(given.folder).resolve()
    folder.mkdir(exist_ok=True)
    binary = str(pathlib.Path(given.essor).resolve())
    os.environ.setdefault("ESSOR_KEY", "5a" * 32)
    print("| monthly users | simulated in | first day | last day | peak of a day | suite | its peak | activity |\n|---|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    for number in filter(None, given.users.split(",")):
        users(binary, folder, number)
    if given.loads:
        loads(binary, folder, given.loads)


if __name__ == "__main__":
    main()
