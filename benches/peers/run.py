#!/usr/bin/env python3
"""essor's activity engine beside its peers: the same files, the same questions, one run, equal answers.

    python3 benches/peers/run.py --data DIR [--only duckdb-packed,essor] [--essor PATH] [--fresh]

DIR/data/activity holds one Parquet file a day (user UINT64, day DATE, messages, ...). All but the last
day are loaded and asked about; the last is the added day. See README.md for what is measured and how.
"""
import argparse, datetime, hashlib, json, os, pathlib, shutil, sys
import table
from steps import VARIANTS, Ours, Peer
from questions import Span, difference, left_out

HERE = pathlib.Path(__file__).resolve().parent


def fingerprint(files):
    """Of the names, the sizes and the last 64 KB of each file, where Parquet keeps its statistics."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name} {file.stat().st_size}\n".encode())
        with open(file, "rb") as handle:
            handle.seek(max(0, file.stat().st_size - 65536))
            digest.update(handle.read())
    return digest.hexdigest()[:16]


def day_of(file):
    return datetime.date.fromisoformat(file.stem)


class Bench:
    """The data, the settings, the cache, and the answers that others are compared with."""

    def __init__(self, given):
        self.given = given
        self.files = sorted((given.data / "data" / "activity").glob("????-??-??.parquet")) or sys.exit(f"no files in {given.data}/data/activity")
        self.base, self.scratch = self.files[:-1], given.scratch or given.data / "peers"
        self.scratch.mkdir(parents=True, exist_ok=True)
        self.fingerprint = fingerprint(self.files)
        self.words = (day_of(self.files[-1]) - day_of(self.files[0])).days // 64 + 1  # of 64 days each
        for name, files in (("base", self.base), ("all", self.files)):  # folders, for engines that take a glob
            folder = self.scratch / "days" / name
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for file in files:
                os.link(file, folder / file.name)
        import pyarrow.parquet
        self.rows = sum(pyarrow.parquet.read_metadata(file).num_rows for file in self.base)
        self.cache_file = self.scratch / "cache.json"
        self.cache = json.loads(self.cache_file.read_text()) if self.cache_file.exists() else {}
        self.reference = {}

    def spec(self, variant, steps, files, store, skip=()):
        module, name, _ = VARIANTS[variant]
        return {"module": module, "class": name, "files": [str(file) for file in files], "glob": str(self.scratch / "days" / ("all" if len(files) == len(self.files) else "base") / "*.parquet"),
                "store": str(store), "first": str(day_of(files[0])), "last": str(day_of(files[-1])), "words": self.words,
                "threads": self.given.threads, "memory": self.given.memory, "steps": steps, "skip": sorted(skip)}

    def warm_files(self):
        """Reads the files once, so that all find them in the page cache: the disk is not what is measured."""
        for file in self.files:
            with open(file, "rb") as handle:
                while handle.read(1 << 24):
                    pass

    def key(self, variant, version, step):
        sources = b"".join((HERE / name).read_bytes() for name in (f"{VARIANTS[variant][0]}.py", "questions.py", "child.py"))
        return f"{self.fingerprint} {variant} {version} {hashlib.sha256(sources).hexdigest()[:12]} {self.given.threads} {self.given.memory} {self.given.limit:g} {step}"

    def save(self):
        self.cache_file.write_text(json.dumps(self.cache))

    def compare(self, who, when, answers):
        """What is unlike the first answer to the same question, by question; '' where equal."""
        verdicts = {}
        for question, rows in answers.items():
            rows = [tuple(row) for row in rows]
            first, expected = self.reference.setdefault((when, question), (who, rows))
            unlike = difference(question, expected, rows)
            verdicts[question] = f"{unlike} (reference: {first})" if unlike else f"{left_out(rows)} cells left out" if left_out(rows) else ""
            if unlike:
                print(f"  DIFFERS: {who}, {question} ({when}): {verdicts[question]}", flush=True)
        return verdicts


def main():
    given = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    given.add_argument("--data", type=pathlib.Path, required=True, help="the folder that holds data/activity/YYYY-MM-DD.parquet")
    given.add_argument("--only", help=f"engines, comma-separated, of: {', '.join(VARIANTS)}, essor, csv")
    given.add_argument("--essor", help="the binary; default: the repository's release build, where there is one")
    given.add_argument("--threads", type=int, default=2)
    given.add_argument("--memory", default="12GB", help="each peer's own limit")
    given.add_argument("--runs", type=int, default=3, help="best of so many, where one takes less than a minute")
    given.add_argument("--limit", type=float, default=600, help="seconds a question may take")
    given.add_argument("--fresh", action="store_true", help="run what the cache has, too")
    given.add_argument("--keep", action="store_true", help="keep the stores: less to load the next time, more disk")
    given.add_argument("--scratch", type=pathlib.Path, help="where stores, cache and results go; default DIR/peers")
    given.add_argument("--csv-days", type=int, default=30, help="how many of the days the CSV load has; 0: none")
    given.add_argument("--idioms", action="store_true", help="instead: each chosen way to ask beside those that were tried and lost")
    given = given.parse_args()
    target = os.environ.get("CARGO_TARGET_DIR", str(HERE.parent.parent / "target"))
    given.essor = given.essor or next((path for path in [f"{target}/release/essor"] if os.path.exists(path)), None)
    wanted = given.only.split(",") if given.only else [name for name, (*_, usual) in VARIANTS.items() if usual] + ["essor", "csv"]
    if unknown := set(wanted) - VARIANTS.keys() - {"essor", "csv"}:
        sys.exit(f"no such engine: {', '.join(sorted(unknown))}")
    given.scratch = given.scratch.resolve() if given.scratch else None
    given.data = given.data.resolve()
    bench = Bench(given)
    span = Span(day_of(bench.base[0]), day_of(bench.base[-1]))
    print(f"{bench.rows:,} user-days, {len(bench.base)} files ({span.first} to {span.last}) and {bench.files[-1].stem} to add; fingerprint {bench.fingerprint}; {given.threads} threads\n", flush=True)
    if given.idioms:
        return [Peer(bench, name).idioms() for name in wanted if name in VARIANTS and hasattr(Peer(bench, name).kind, "tried")]
    rows = []
    for name in wanted:
        if name in VARIANTS:
            rows.append(Peer(bench, name).all())
        elif name == "essor" and given.essor:
            rows.append(Ours(bench).all())
    loads = None
    if "csv" in wanted and given.csv_days:
        import csv_load
        loads = csv_load.run(bench)
    about = {"user_days": bench.rows, "days": len(bench.base), "first": str(span.first), "last": str(span.last), "threads": given.threads, "limit": given.limit, "memory": given.memory,
             "load_average": os.getloadavg(), "when": datetime.datetime.now().isoformat(timespec="seconds"), "fingerprint": bench.fingerprint}
    results = {"about": about, "engines": rows, "csv": loads}
    (bench.scratch / "results.json").write_text(json.dumps(results, indent=1))
    text = table.markdown(results)
    (bench.scratch / "results.md").write_text(text)
    print("\n" + text)


if __name__ == "__main__":
    main()
