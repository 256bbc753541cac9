#!/usr/bin/env python3
"""Asks essor about random figures and statements, and compares every answer with one worked out in plain Python.

    python3 tests/oracle/figures.py --essor target/debug/essor --sets 20

All questions of a set are asked in one report, as copies of the queries whose defaults are the parameters; those that no
header can hold, by `essor query`. Not made here: activity, rejected rows, servers' formats, zones other than UTC.
"""

import argparse
import csv
import io
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import data
import questions
from days import month_of
from rounding import difference, shown
from store import Store

HERE = Path(__file__).resolve().parent
QUERIES = HERE.parent.parent / "queries"
# What a report fills in by itself gets another name in a copy, so that the copy's default stands.
FILLED = ("month", "platforms", "platform", "to", "base")


class Essor:
    """A scratch project and the binary."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, Path(folder)

    def run(self, *args, ok=(0,)):
        done = subprocess.run(["timeout", "300", self.binary, "--threads", "1", *args], capture_output=True, text=True, cwd=self.folder)
        if done.returncode not in ok:
            raise RuntimeError(f"essor {' '.join(map(str, args))}: {done.stderr.strip()}")
        return done.stdout

    def make(self, whole):
        shutil.rmtree(self.folder, ignore_errors=True)
        for name in ("data", "queries", "reports"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "essor.toml").write_text(data.toml(whole["options"]))
        for file in whole["files"]:
            (self.folder / file["path"]).write_text(data.csv_of(file))
            self.run("ingest", file["path"])

    def answer(self, query, given):
        if query in questions.VIEWS:
            (self.folder / "queries" / f"{query}.sql").write_text(questions.text_of(query))
        args = ["query", query, "--format", "csv"]
        for name, value in given.items():
            args += [f"--{name}", f"{value:%Y-%m}" if name == "month" else word(value)]
        return rows_of(self.run(*args))

    def report(self, asked, month):
        """All answers at once: copies of the queries, whose defaults are the parameters, as figures of one report."""
        for path in QUERIES.glob("*.sql"):
            # A report without a headline is none.
            if path.stem == "headline":
                continue
            text = re.sub(r"(?m)^--! report:.*$", "--! report:  none", bare(path.read_text()))
            (self.folder / "queries" / path.name).write_text(text)
        for i, (query, given) in enumerate(asked):
            (self.folder / "queries" / f"q{i}.sql").write_text(copy(query, given, i))
        out = self.folder / "reports" / f"{month:%Y-%m}"
        shutil.rmtree(out, ignore_errors=True)
        self.run("report", f"{month:%Y-%m}", "--no-ingest", ok=(0, 3))
        answers = []
        for i, (query, _) in enumerate(asked):
            table = out / "tables" / f"q{i}.csv"
            # A figure without rows has no table.
            answers.append(rows_of(table.read_text()) if table.exists() else (columns_of(query), []))
        for path in (self.folder / "queries").glob("*.sql"):
            path.unlink()
        return answers


def word(value):
    if value is None:
        return "null"
    if isinstance(value, list):
        return ",".join(value) or "all"
    return shown(value)


def rows_of(text):
    rows = list(csv.reader(io.StringIO(text)))
    return rows[0], rows[1:]


def text_of(query):
    if query in questions.VIEWS:
        return questions.text_of(query)
    return (QUERIES / f"{query}.sql").read_text()


def columns_of(query):
    line = re.search(r"(?m)^--! columns: *(.*)$", text_of(query))[1]
    return [c.split()[0] for c in line.split(",")]


def bare(text):
    """Without what draws and words it: that is no figure."""
    return re.sub(r"(?m)^--! (chart|finding|subtitle):.*\n", "", text)


def copy(query, given, number):
    text = re.sub(r"(?m)^--! report:.*$", f"--! report:  section=oracle order={number + 1}", bare(text_of(query)))
    if "--! report:" not in text:
        text = re.sub(r"(?m)^(--! grain:.*)$", rf"\1\n--! report:  section=oracle order={number + 1}", text)

    def default(match):
        name, kind = match[1], match[2]
        value = f" = {word(given[name])}" if name in given else match[3] or ""
        return f"{name + '_asked' if name in FILLED else name} {kind}{value}"

    def params(match):
        return match[1] + ", ".join(re.sub(r"^(\w+) (\S+)( = .*)?$", default, p.strip()) for p in match[2].split(","))

    text = re.sub(r"(?m)^(--! params: *)(.*)$", params, text)
    return re.sub(r"\$(" + "|".join(FILLED) + r")\b", r"$\1_asked", text)


def simple(given):
    """Whether a header can hold the parameters: a list of several names can't stand there."""
    return all(not isinstance(v, list) or len(v) < 2 for v in given.values())


def store_of(whole, metrics):
    return Store(data.loads(whole), data.disclosures(whole), whole["options"], metrics)


def registry(essor):
    """Titles, measures, units and definitions as essor registers them: names, not figures."""
    essor.make({"options": {"network": "", "carry": 0, "launched": {}, "confirmed": set(), "disputes": []}, "files": []})
    header, rows = rows_of(essor.run("query", "--sql", "SELECT * FROM metrics", "--format", "csv"))
    return {r[0]: dict(zip(header, r)) for r in rows}


def differs(essor, whole, metrics, query, given):
    """What differs in one answer, asked directly; None where nothing does."""
    try:
        essor.make(whole)
    except RuntimeError:
        return None
    header, answer = essor.answer(query, given)
    return difference(questions.expected(store_of(whole, metrics), query, given), header, answer)


def minimised(essor, whole, metrics, query, given, seconds):
    """The set without the files and rows that the difference does not need."""
    until = time.time() + seconds
    size = max((len(f["rows"]) for f in whole["files"]), default=0)
    while size >= 1 and time.time() < until:
        for smaller in without(whole, size):
            if time.time() > until:
                break
            if differs_still(essor, smaller, metrics, query, given):
                whole = smaller
                break
        else:
            size //= 2
    return whole


def differs_still(essor, whole, metrics, query, given):
    try:
        return differs(essor, whole, metrics, query, given) is not None
    except (RuntimeError, ValueError, KeyError):
        return False


def without(whole, size):
    for i, file in enumerate(whole["files"]):
        for at in range(0, len(file["rows"]), size):
            rows = file["rows"][:at] + file["rows"][at + size:]
            files = list(whole["files"])
            files[i:i + 1] = [file | {"rows": rows}] if rows else []
            yield whole | {"files": files}


def tell(whole, query, given, what):
    print(f"\nDIFFERENCE in {query} {' '.join(f'--{k} {word(v)}' for k, v in given.items())}\n  {what}")
    options = {k: v for k, v in whole["options"].items() if v}
    print(f"  options {options}")
    for file in whole["files"]:
        rows = file["rows"]
        print(f"  {file['path']} ({len(rows)} rows)")
        print("    " + "\n    ".join(data.csv_of(file | {"rows": rows[:40]}).splitlines()))
    sys.stdout.flush()


def questions_of(whole, seed, only, each, some):
    dice = random.Random(f"{seed} questions")
    names = [only] if only else list(questions.TAKES)
    if 0 < some < len(names):
        names = list(questions.VIEWS) + dice.sample(names, some)
    return [(q, questions.ask(dice, q, whole["span"])) for q in names for _ in range(each)]


def one_set(essor, metrics, seed, args):
    whole = data.make(random.Random(seed))
    asked = questions_of(whole, seed, args.only, args.each, args.some)
    essor.make(planted(whole, args.plant, seed) if args.plant else whole)
    direct = [a for a in asked if not simple(a[1])]
    direct, in_report = direct[:args.direct], [a for a in asked if simple(a[1])]
    answers = list(zip(in_report, essor.report(in_report, month_of(whole["span"][1]))))
    answers += [(a, essor.answer(*a)) for a in direct]
    store = store_of(whole, metrics)
    found, rows = [], 0
    for (query, given), (header, answer) in answers:
        rows += len(answer)
        what = difference(questions.expected(store, query, given), header, answer)
        if what:
            found.append((query, given, what))
    return whole, len(answers), rows, found


def planted(whole, kind, seed):
    """The set as essor is given it, with one raw row that the oracle has otherwise."""
    dice = random.Random(f"{seed} plant")
    said = kind == "statement"
    files = [f for f in whole["files"] if (f["path"] == "data/disclosures.csv") == said and f["rows"]]
    if not files:
        return whole
    file = files[-1]
    rows = [list(r) for r in file["rows"]]
    at = dice.randrange(len(rows))
    column = file["columns"].index("value") if "value" in file["columns"] else len(file["columns"]) - 1
    if kind == "drop":
        rows.pop(at)
    else:
        rows[at][column] = str(int(rows[at][column] or 0) + 1)
    changed = file | {"rows": rows}
    return whole | {"files": [changed if f is file else f for f in whole["files"]]}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="of the first set; the next ones count on")
    parser.add_argument("--essor", default="target/debug/essor")
    parser.add_argument("--only", help="one query")
    parser.add_argument("--each", type=int, default=1, help="questions of each query and set")
    parser.add_argument("--some", type=int, default=0, help="ask so many of the queries of each set, by chance; 0 is all")
    parser.add_argument("--direct", type=int, default=1, help="questions of each set that are asked by `essor query`")
    parser.add_argument("--state", help="a file that adds up sets, answers, rows and differences over several runs")
    parser.add_argument("--plant", choices=["value", "drop", "statement"], help="corrupt one row that essor reads: it must be seen")
    parser.add_argument("--minimise", type=int, default=60, help="seconds to spend on making a difference small")
    parser.add_argument("--until", help="HH:MM (UTC) of the day at which to stop")
    return parser.parse_args()


def load_state(path, seed):
    if path and Path(path).exists():
        return json.loads(Path(path).read_text())
    return {"next": seed, "sets": 0, "answers": 0, "rows": 0, "differences": 0}


def main():
    args = arguments()
    state = load_state(args.state, args.seed)
    with tempfile.TemporaryDirectory() as folder:
        essor = Essor(Path(args.essor).resolve(), Path(folder) / "p")
        metrics = registry(essor)
        seen = 0
        for _ in range(args.sets):
            if args.until and time.strftime("%H:%M", time.gmtime()) >= args.until:
                break
            seed = state["next"]
            try:
                whole, answers, rows, found = one_set(essor, metrics, seed, args)
            except RuntimeError as e:
                print(f"seed {seed}: not asked: {e}", flush=True)
                state.update(next=seed + 1, failed=state.get("failed", 0) + 1)
                continue
            state.update(next=seed + 1, sets=state["sets"] + 1, answers=state["answers"] + answers, rows=state["rows"] + rows,
                         differences=state["differences"] + len(found))
            seen += bool(found)
            state.setdefault("found", []).extend([seed, query, what] for query, _, what in found)
            if args.state:
                Path(args.state).write_text(json.dumps(state))
            if args.plant:
                print(f"seed {seed}: planted {args.plant}: {len(found)} answers differ")
                continue
            for query, given, what in found:
                print(f"seed {seed}: {query}: {what}", flush=True)
                small = minimised(essor, whole, metrics, query, given, args.minimise) if args.minimise else whole
                again = differs_text(essor, small, metrics, query, given) if args.minimise else what
                tell(small, query, given, again or what + " (in the report alone)") if args.minimise else None
    print(f"{state['sets']} sets, {state['answers']} answers, {state['rows']} rows: {state['differences']} differences; "
          f"{state.get('failed', 0)} sets could not be asked")
    if args.plant:
        print(f"seen in {seen} of {args.sets} sets")
        return 0 if seen else 1
    return 1 if state["differences"] or state.get("failed") else 0


def differs_text(essor, whole, metrics, query, given):
    try:
        return differs(essor, whole, metrics, query, given)
    except RuntimeError as e:
        return str(e)


if __name__ == "__main__":
    sys.exit(main())
