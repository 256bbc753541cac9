"""The same user-days as CSV, one file a day: how long until they are loaded."""
import shutil, sys
import duckdb, measure
from essor_peer import Essor, PROJECT

DUCKDB = """import duckdb; c = duckdb.connect({store!r}); c.execute("SET threads = {threads}; SET memory_limit = '{memory}'; SET preserve_insertion_order = false")
c.execute("CREATE TABLE activity AS SELECT user, day, messages FROM read_csv('{files}'{types})"); c.close()"""
CLICKHOUSE = """from chdb import session; s = session.Session({store!r}); s.query('SET max_threads = {threads}'); s.query('SET max_insert_threads = {threads}')
s.query('CREATE TABLE activity (user UInt64, day Date, messages UInt32) ENGINE = MergeTree ORDER BY (user, day)')
s.query("INSERT INTO activity SELECT user, day, messages FROM file('{files}', CSVWithNames, 'user UInt64, day Date, messages UInt32, country String, client String')"); s.close()"""
TYPES = ", columns = {'user': 'UBIGINT', 'day': 'DATE', 'messages': 'UINTEGER', 'country': 'VARCHAR', 'client': 'VARCHAR'}"


def run(bench):
    folder = bench.scratch / "csv"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "days").mkdir(parents=True)
    files = bench.base[:bench.given.csv_days]
    for file in files:
        duckdb.execute(f"COPY (SELECT user, day, messages, country, client FROM read_parquet('{file}')) TO '{folder / 'days' / file.stem}.csv' (HEADER)")
    rows = duckdb.execute(f"SELECT count(*) FROM read_parquet({[str(file) for file in files]!r})").fetchone()[0]
    size = sum(file.stat().st_size for file in (folder / "days").iterdir())
    seconds = {}

    def best(name, what):
        times = []
        while len(times) < bench.given.runs and sum(times) < 60:
            try:
                times.append(what())
            except RuntimeError as error:
                print(f"  csv, {name}: {error}", flush=True)
                return
        seconds[name] = min(times)
        print(f"  csv, {name}: {min(times):.1f} s", flush=True)

    def peer(code, **more):
        def load():
            store = folder / "store"
            shutil.rmtree(store, ignore_errors=True)
            store.unlink(missing_ok=True)
            filled = code.format(store=str(store), threads=bench.given.threads, memory=bench.given.memory, files=f"{folder}/days/*.csv", **more)
            return measure.command([sys.executable, "-c", filled], folder).seconds
        return load

    best("duckdb, read_csv with its types sniffed", peer(DUCKDB, types=""))
    best("duckdb, read_csv with its types given", peer(DUCKDB, types=TYPES))
    best("clickhouse, MergeTree", peer(CLICKHOUSE))
    if bench.given.essor:
        def ours():
            essor = Essor(bench.given.essor, folder / "project", bench.given.threads, measure.command)
            csv = sorted((folder / "days").iterdir())
            essor.start(csv)
            (essor.project / "essor.toml").write_text(PROJECT.replace(".parquet", ".csv"))
            return essor.ingest(csv).seconds
        best("essor", ours)
    shutil.rmtree(folder)
    return {"rows": rows, "bytes": size, "days": len(files), "seconds": seconds}
