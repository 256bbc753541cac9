#!/usr/bin/env python3
"""Scores essor and DuckDB's sniffer over the files in tests/dirty.

    python3 benches/dirty.py [--essor PATH] [--folder tests/dirty] [--each]

Each folder there holds `dirty.*`, as it was met, and `clean.csv`, what a person reads in it. A reader gives
`right` where its header and rows are those; `said` where what it gives is right but some rows are left out and
it says so; `refused` where it gives nothing and says why; `wrong` where it gives anything else without a word.
essor is `essor preview --format csv`. DuckDB is `read_csv(file, all_varchar = true)` with all found by itself
(`said` by `store_rejects = true`, asked only where the first fails). Needs the Python package `duckdb`."""

import argparse
import collections
import csv
import io
import os
import pathlib
import shutil
import subprocess

import duckdb


def rows(text):
    return [row for row in csv.reader(io.StringIO(text, newline="")) if row]


def within(some, all_rows):
    """Whether some rows are all of them, or some of them in their order."""
    rest = iter(all_rows)
    return all(row in rest for row in some)


def judge(given, truth, told):
    if given is None:
        return "refused"
    if given == truth and not told:
        return "right"
    if told and given[:1] == truth[:1] and within(given, truth):
        return "said"
    return "wrong"


def by_essor(essor, path):
    ran = subprocess.run([essor, "preview", path, "--format", "csv"], capture_output=True)
    if ran.returncode not in (0, 3):
        return None, False
    return rows(ran.stdout.decode()), ran.returncode == 3


def by_duckdb(path, truth):
    def ask(options):
        connection = duckdb.connect()
        found = connection.execute(f"SELECT * FROM read_csv(?, all_varchar = true{options})", [str(path)])
        names = [column[0] for column in found.description]
        given = [names] + [["" if f is None else f for f in row] for row in found.fetchall()]
        told = "reject" in options and connection.execute("SELECT count(*) FROM reject_errors").fetchone()[0]
        return given, bool(told)

    try:
        return ask("")
    except duckdb.Error:
        pass
    try:
        given, told = ask(", store_rejects = true")
    except duckdb.Error:
        return None, False
    # It refused once already: what is given after that counts where it is right as far as it goes.
    return (given, told) if told and judge(given, truth, told) == "said" else (None, False)


def headless(truth):
    """Where a file has no header, any names are as good."""
    return truth[:1] and all(name.startswith("column_") for name in truth[0])


def main():
    here = pathlib.Path(__file__).resolve().parent.parent
    target = os.environ.get("CARGO_TARGET_DIR", here / "target")
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--essor", default=shutil.which("essor", path=f"{target}/release:{target}/debug"))
    options.add_argument("--folder", type=pathlib.Path, default=here / "tests" / "dirty")
    options.add_argument("--each", action="store_true", help="print what came of each file")
    given = options.parse_args()
    scores = {"essor": collections.Counter(), "DuckDB": collections.Counter()}
    for folder in sorted(path for path in given.folder.iterdir() if path.is_dir()):
        (dirty,) = folder.glob("dirty.*")
        truth = rows((folder / "clean.csv").read_bytes().decode())
        came = {}
        for name, (found, told) in (("essor", by_essor(given.essor, dirty)), ("DuckDB", by_duckdb(dirty, truth))):
            if found and headless(truth) and len(found[0]) == len(truth[0]):
                found[0] = truth[0]
            came[name] = judge(found, truth, told)
            scores[name][came[name]] += 1
        if given.each:
            print(f"{folder.name:<36} {came['essor']:<8} {came['DuckDB']}")
    kinds = ["right", "said", "refused", "wrong"]
    print("| of", sum(scores["essor"].values()), "files |", " | ".join(kinds), "|\n|---|" + "---:|" * len(kinds))
    for name, score in scores.items():
        print(f"| {name} |", " | ".join(str(score[kind]) for kind in kinds), "|")


if __name__ == "__main__":
    main()
