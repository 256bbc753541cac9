"""One engine in a process of its own: does the steps it is given and says on stdout, a JSON object a line,
when it begins and ends each question, with the seconds and the rows. run.py starts it, watches the time and ends it."""
import json, os, sys, time

spec = json.loads(sys.argv[1])
os.environ["POLARS_MAX_THREADS"] = str(spec["threads"])
os.environ["RAYON_NUM_THREADS"] = str(spec["threads"])

import datetime, importlib, pathlib, types
from questions import Span, answer


def say(**event):
    # On the descriptor itself: an engine that prints must not get between.
    os.write(3, (json.dumps(event) + "\n").encode())


def timed(name, what, skip=()):
    if name in skip:
        return
    say(begin=name)
    start, busy = time.perf_counter(), time.process_time()
    try:
        result = what()
    except Exception as error:
        say(failed=name, error=" ".join(str(error).split())[:160])
        return
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    rows = answer(name, result) if isinstance(result, list) and name not in ("pass", "load", "add") else None
    say(done=name, seconds=seconds, cpu=busy, rows=rows)


def main():
    variant = getattr(importlib.import_module(spec["module"]), spec["class"])
    variant.version()  # imports the library before the clock runs
    say(ready=True)
    work = types.SimpleNamespace(**spec)
    work.files = [pathlib.Path(file) for file in spec["files"]]
    work.span = Span(datetime.date.fromisoformat(spec["first"]), datetime.date.fromisoformat(spec["last"]))
    start, busy = time.perf_counter(), time.process_time()
    engine = variant(work)
    say(done="open", seconds=time.perf_counter() - start, cpu=time.process_time() - busy, rows=None)
    ask = lambda name, what: timed(name, what, spec["skip"])
    for step in spec["steps"]:
        if step == "load":
            ask("load", engine.load)
        elif step == "add":
            ask("add", lambda: engine.add(work.files[-1]))
        elif step == "suite":
            engine.suite(ask)
        elif step == "alone":
            for question, what in engine.alone().items():
                ask(question, what)
        elif step == "tried":
            for name, (question, what) in {**{f"{q}, chosen": (q, w) for q, w in engine.alone().items()}, **engine.tried()}.items():
                ask(name, lambda: answer(question, what()))
    if hasattr(engine, "size"):
        say(size=engine.size())
    if hasattr(engine, "close"):
        engine.close()


main()
