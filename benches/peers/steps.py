"""What every engine goes through: cold, warm, each question alone, an added day."""
import importlib, shutil
import measure
from essor_peer import Essor
from questions import QUESTIONS, answer

VARIANTS = {  # name: (module, class, asked unless told otherwise)
    "duckdb-parquet": ("duckdb_peer", "Parquet", True),
    "duckdb-table": ("duckdb_peer", "Table", True),
    "duckdb-packed": ("duckdb_peer", "Packed", True),
    "clickhouse-parquet": ("clickhouse_peer", "Parquet", True),
    "clickhouse-table": ("clickhouse_peer", "Table", True),
    "clickhouse-table-by-day": ("clickhouse_peer", "TableByDay", False),
    "clickhouse-packed": ("clickhouse_peer", "Packed", True),
    "clickhouse-bitmap64": ("clickhouse_peer", "Bitmap64", True),
    "clickhouse-bitmap32": ("clickhouse_peer", "Bitmap32", True),
    "polars-parquet": ("polars_peer", "Polars", True),
    "naive": ("naive", "Naive", False),
}
SLOW = 60.0  # seconds: what takes longer is run once, and taken from the cache the next time


def disk(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def merged(runs, questions=QUESTIONS):
    """The best time of each part over several runs, the highest peak, what was late or failed in any."""
    best = {"seconds": min(run.seconds for run in runs), "peak": max(run.peak for run in runs), "size": runs[-1].size, "late": sorted({run.late for run in runs if run.late}),
            "failed": {k: v for run in runs for k, v in run.failed.items()}, "timings": {}, "busy": {}, "answers": {}}
    for run in runs:
        for name, seconds in run.timings.items():
            best["timings"][name] = min(seconds, best["timings"].get(name, seconds))
        for name, seconds in run.busy.items():
            best["busy"][name] = min(seconds, best["busy"].get(name, seconds))
        best["answers"].update({name: rows for name, rows in run.rows.items() if name in questions})
    suite = lambda parts: sum(seconds for name, seconds in parts.items() if name in ("open", "pass", *questions))
    best["suite"], best["suite_cpu"], best["cpu"] = min(suite(run.timings) for run in runs), min(suite(run.busy) for run in runs), min(run.cpu for run in runs)
    return best


class Peer:
    """The steps of one engine; each step is taken from the cache, or run and cached."""

    def __init__(self, bench, variant):
        self.bench, self.variant = bench, variant
        module, name, _ = VARIANTS[variant]
        self.kind = getattr(importlib.import_module(module), name)
        self.version = self.kind.version()
        self.store = bench.scratch / "stores" / variant
        self.missing, self.cached, self.results = {}, [], {}

    def best_of(self, run):
        runs = [run()]
        while len(runs) < self.bench.given.runs and runs[0].seconds < SLOW and not runs[0].late:
            runs.append(run())
        return merged(runs)

    def step(self, name, run):
        key = self.bench.key(self.variant, self.version, name)
        known = self.bench.cache.get(key)
        if known and known["seconds"] >= SLOW and not self.bench.given.fresh:
            self.cached.append(name)
            result = known
        else:
            print(f"  {self.variant}: {name} ...", end="", flush=True)
            result = run()
            print(f" {result['seconds']:.1f} s" + (f", past the limit: {result['late']}" if result["late"] else "") + (f", failed: {result['failed']}" if result["failed"] else ""), flush=True)
            self.bench.cache[key] = result
            self.bench.save()
        self.missing |= {what: "late" for what in result["late"]} | {what: "memory" if "memory limit" in error.lower() else "failed" for what, error in result["failed"].items()}
        self.results[name] = {**result, "missing": dict(self.missing)}

    def child(self, steps, files=None):
        """What passed the limit or failed once is not asked again."""
        skip = self.missing.keys() & QUESTIONS.keys()
        return measure.child(self.bench.spec(self.variant, steps, files or self.bench.base, self.store, skip), self.bench.given.limit)

    def stamp(self):
        return self.bench.key(self.variant, self.version, "store")

    def cold(self):
        """From nothing but the Parquet files to the six answers, in one process."""
        shutil.rmtree(self.store, ignore_errors=True)
        self.store.mkdir(parents=True)
        run = self.child(["load", "suite"])
        run.size = run.size or disk(self.store)
        if "load" in run.timings:
            (self.store / "stamp").write_text(self.stamp())
        return run

    def need_store(self):
        """A warm step needs the store, which may be gone where the cold step came from the cache."""
        stamp = self.store / "stamp"
        if self.kind.OWN_STORE and not (stamp.exists() and stamp.read_text() == self.stamp()):
            print(f"  {self.variant}: loading again, for its other steps", flush=True)
            shutil.rmtree(self.store, ignore_errors=True)
            self.store.mkdir(parents=True)
            self.child(["load"])
            stamp.write_text(self.stamp())

    def warm(self, step):
        self.need_store()
        return self.best_of(lambda: self.child([step]))

    def added(self):
        """One more day, until the six answers are there again."""
        if not self.kind.OWN_STORE:
            return self.best_of(lambda: self.child(["suite"], self.bench.files))
        self.need_store()
        kept = self.bench.scratch / "stores" / "kept"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.store, kept, symlinks=True)

        def run():
            # In its own place: ClickHouse's links are absolute.
            shutil.rmtree(self.store)
            shutil.copytree(kept, self.store, symlinks=True)
            return self.child(["add", "suite"], self.bench.files)
        result = self.best_of(run)
        shutil.rmtree(self.store)
        kept.rename(self.store)
        return result

    def all(self):
        self.bench.warm_files()
        own, row = self.kind.OWN_STORE, {"engine": self.variant, "version": self.version}
        self.step("cold", lambda: self.best_of(self.cold))
        if own:
            self.step("warm", lambda: self.warm("suite"))
        if hasattr(self.kind, "pack"):  # with a pass that the questions share, each is also asked without it
            self.step("alone", lambda: self.warm("alone"))
        self.step("added", self.added)
        cold, added = self.results["cold"], self.results["added"]
        warm, alone = self.results.get("warm", cold), self.results.get("alone", self.results.get("warm", cold))
        if not self.bench.given.keep:
            shutil.rmtree(self.store, ignore_errors=True)
        row["questions"] = {q: alone["missing"].get(q) or alone["timings"].get(q, "failed") for q in QUESTIONS}
        row["packed"] = {name: warm["timings"][name] for name in ("pass", *QUESTIONS) if name in warm["timings"]} if "pass" in warm["timings"] else {}
        parts = {"suite": (warm, "suite"), "suite_process": (warm, "seconds"), "cold": (cold, "seconds"), "added": (added, "seconds")}
        row |= {name: self.total(step, step[part]) for name, (step, part) in parts.items()}
        row["cpu"] = {"suite": self.total(warm, warm["suite_cpu"]), "cold": self.total(cold, cold["cpu"]), "added": self.total(added, added["cpu"]), **{q: alone["busy"].get(q) for q in QUESTIONS}}
        row["load"], row["add"] = cold["timings"].get("load") if own else None, added["timings"].get("add") if own else None
        row["peak"] = {name: result["peak"] for name, result in self.results.items()}
        row["size"], row["cached"] = cold["size"] if own else None, self.cached
        row["answers"] = {name: self.bench.compare(self.variant, "added" if name == "added" else "base", result["answers"]) for name, result in self.results.items()}
        row["failed"] = {k: v for result in self.results.values() for k, v in result["failed"].items()}
        return row

    @staticmethod
    def total(step, seconds):
        """A total that lacks a part is none: `failed` or `late`."""
        missing = set(step["missing"].values())
        return next((kind for kind in ("failed", "memory", "late") if kind in missing), seconds)

    def idioms(self):
        """The chosen ways and those that lost, each once."""
        self.need_store()
        run = self.child(["tried"])
        print(f"\n{self.variant}" + (f"; past the limit: {run.late}" if run.late else ""))
        for name, seconds in run.timings.items():
            print(f"  {name:48}{seconds:9.2f} s{run.busy[name]:9.2f} s of CPU")
        for name, error in run.failed.items():
            print(f"  {name:48}  failed: {error}")


class Ours:
    """essor, by its commands; nothing of it comes from the cache."""

    def __init__(self, bench):
        self.bench = bench
        self.essor = Essor(bench.given.essor, bench.scratch / "stores" / "essor", bench.given.threads, measure.command)
        self.peak, self.failed, self.cpu = {}, {}, {}

    def suite(self):
        """Seconds and rows by question; each a process."""
        seconds, rows = {}, {}
        for question in QUESTIONS:
            try:
                measured, got = self.essor.ask(question)
                seconds[question], rows[question] = measured.seconds, answer(question, got)
                self.cpu[question] = min(measured.cpu, self.cpu.get(question, measured.cpu))
                self.peak["suite"] = max(self.peak.get("suite", 0), measured.peak)
            except (RuntimeError, KeyError, ValueError) as error:
                self.failed[question] = repr(error)
        return seconds, rows

    def once(self):
        """Ingest and suite of the base, then of the added day."""
        self.essor.start(self.bench.base)
        load = self.essor.ingest(self.bench.base)
        size = self.essor.size()
        cold = self.suite()
        warm = [self.suite()[0] for _ in range(self.bench.given.runs)]
        self.essor.receive(self.bench.files[-1])
        add = self.essor.ingest(self.bench.files[-1:])
        added = self.suite()
        self.peak["ingest"] = max(self.peak.get("ingest", 0), load.peak)
        self.cpu["load"], self.cpu["add"] = min(load.cpu, self.cpu.get("load", load.cpu)), min(add.cpu, self.cpu.get("add", add.cpu))
        self.peak["added"] = max(self.peak.get("added", 0), add.peak)
        return load.seconds, size, cold, warm, add.seconds, added

    def all(self):
        self.bench.warm_files()
        print("  essor ...", end="", flush=True)
        runs = [self.once()]
        while len(runs) < self.bench.given.runs and runs[0][0] < SLOW:
            runs.append(self.once())
        total = lambda seconds: sum(seconds.values()) if len(seconds) == len(QUESTIONS) else "failed"
        least = lambda totals: "failed" if "failed" in totals else min(totals)
        suites = [seconds for run in runs for seconds in run[3]]
        row = {"engine": "essor", "version": self.essor.version(), "cached": [], "packed": {}, "failed": self.failed, "peak": self.peak, "size": runs[0][1]}
        row["questions"] = {q: min((s[q] for s in suites if q in s), default="failed") for q in QUESTIONS}
        row["suite"] = row["suite_process"] = least([total(s) for s in suites])  # a process a question as it is
        row["load"], row["add"] = min(run[0] for run in runs), min(run[4] for run in runs)
        row["cold"] = least([total(run[2][0]) if total(run[2][0]) == "failed" else run[0] + total(run[2][0]) for run in runs])
        row["added"] = least([total(run[5][0]) if total(run[5][0]) == "failed" else run[4] + total(run[5][0]) for run in runs])
        row["answers"] = {"cold": self.bench.compare("essor", "base", runs[0][2][1]), "added": self.bench.compare("essor", "added", runs[0][5][1])}
        suite = sum(self.cpu[q] for q in QUESTIONS) if QUESTIONS.keys() <= self.cpu.keys() else None
        row["cpu"] = {**self.cpu, "suite": suite, "cold": suite and suite + self.cpu["load"], "added": suite and suite + self.cpu["add"]}
        row["added_suite"] = least([total(run[5][0]) for run in runs])
        print(f" ingest {row['load']:.1f} s" + (f", failed: {self.failed}" if self.failed else ""), flush=True)
        if not self.bench.given.keep:
            shutil.rmtree(self.essor.project, ignore_errors=True)
        return row
