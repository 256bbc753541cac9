"""Processes with their wall time, peak memory and a limit on every question."""
import dataclasses, json, os, pathlib, selectors, subprocess, sys, tempfile, threading, time

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Measured:
    seconds: float
    peak: int            # bytes, maximum resident set of the process
    cpu: float           # seconds of all its threads
    output: str = ""
    code: int = 0


def finish(process):
    """Waits for the process; its peak memory in bytes and its CPU seconds."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime


def command(argv, cwd, limit=3600):
    """Runs a command to its end."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        process = subprocess.Popen(argv, cwd=cwd, stdout=out, stderr=err)
        timer = threading.Timer(limit, process.kill)
        timer.start()
        peak, cpu = finish(process)
        timer.cancel()
        seconds = time.perf_counter() - start
        out.seek(0), err.seek(0)
        output = out.read().decode()
        if process.returncode:
            raise RuntimeError(f"`{' '.join(argv[:6])}`: {err.read().decode().strip()[-300:] or process.returncode}")
        return Measured(seconds, peak, cpu, output)


@dataclasses.dataclass
class Run:
    """What a child said."""
    seconds: float = 0.0                              # wall, from its start to its end
    peak: int = 0
    cpu: float = 0.0
    size: int | None = None
    timings: dict = dataclasses.field(default_factory=dict)   # wall seconds by part
    busy: dict = dataclasses.field(default_factory=dict)      # CPU seconds by part
    rows: dict = dataclasses.field(default_factory=dict)
    failed: dict = dataclasses.field(default_factory=dict)
    late: str | None = None                           # the question at which the limit passed


def child(spec, limit):
    """Runs child.py until it ends, or until a question passes the limit (seconds; a load has six times as long)."""
    read, write = os.pipe()
    run, start = Run(), time.perf_counter()
    code = f"import os, sys, runpy; os.dup2({write}, 3); sys.path.insert(0, {str(HERE)!r}); sys.argv[0] = 'child.py'; runpy.run_path({str(HERE / 'child.py')!r}, run_name='__main__')"
    errors = tempfile.TemporaryFile()
    process = subprocess.Popen([sys.executable, "-c", code, json.dumps(spec)], pass_fds=[write], stdout=subprocess.DEVNULL, stderr=errors)
    os.close(write)
    current, began, pending, open_pipe = "start", time.perf_counter(), b"", True
    selector = selectors.DefaultSelector()
    selector.register(read, selectors.EVENT_READ)
    while open_pipe:
        allowed = limit * (6 if current in ("start", "load", "add", "open", "pass") else 1)
        if not selector.select(max(0.0, began + allowed - time.perf_counter())):
            run.late = current
            process.kill()
            break
        chunk = os.read(read, 1 << 20)
        open_pipe, pending = bool(chunk), pending + chunk
        *lines, pending = pending.split(b"\n")
        for line in lines:
            event = json.loads(line)
            if "begin" in event:
                current, began = event["begin"], time.perf_counter()
            elif "done" in event:
                run.timings[event["done"]], run.busy[event["done"]] = event["seconds"], event["cpu"]
                if event["rows"] is not None:
                    run.rows[event["done"]] = [tuple(row) for row in event["rows"]]
                current, began = "start", time.perf_counter()
            elif "failed" in event:
                run.failed[event["failed"]] = event["error"]
                current, began = "start", time.perf_counter()
            elif "size" in event:
                run.size = event["size"]
    run.peak, run.cpu = finish(process)
    os.close(read)
    run.seconds = time.perf_counter() - start
    errors.seek(0)
    if process.returncode and not run.late:
        run.failed.setdefault(current, errors.read().decode().strip()[-300:] or f"ended by signal {-process.returncode}")
    return run
