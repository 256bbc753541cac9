"""Meanwhile, until `essor simulate` is there: user-days of a messenger, one Parquet file a day.

    python3 generate.py DIR --users 5000000 --days 181 [--seed 1]

Users start before or within the span, lapse (0.6 % a day) and return (0.8 % a day); while not lapsed each is
active with a probability of their own. Ids are random 64-bit numbers; rows are in random order within a day.
"""
import argparse, datetime, pathlib, time
import numpy as np, pyarrow as pa, pyarrow.parquet as pq

a = argparse.ArgumentParser()
a.add_argument("folder"); a.add_argument("--users", type=int, default=5_000_000)
a.add_argument("--days", type=int, default=181); a.add_argument("--seed", type=int, default=1)
a.add_argument("--first", default="2025-01-01")
g = a.parse_args()
r = np.random.default_rng(g.seed)
n, out = g.users, pathlib.Path(g.folder) / "data" / "activity"
out.mkdir(parents=True, exist_ok=True)
ids = r.integers(0, 2**64, n, dtype=np.uint64)
assert len(np.unique(ids)) == n
start = np.where(np.arange(n) < 0.6 * n, 0, 1 + np.arange(n) * 0).astype(np.int16)
late = start > 0
start[late] = r.integers(1, g.days, late.sum())
p = r.choice(np.array([0.80, 0.33, 0.07], dtype=np.float32), n, p=[0.3, 0.3, 0.4])
country = r.choice(24, n, p=np.sort(r.dirichlet(np.full(24, 0.6)))[::-1]).astype(np.int8)
client = r.integers(0, 4, n).astype(np.int8)
rate = r.gamma(0.8, 12.0, n).astype(np.float32)
countries = pa.array("IR IN RU BR DE IT ES US UZ KZ UA MX ID EG TR FR GB NG PK VN PL NL SA AR".split())
clients = pa.array(["android", "ios", "desktop", "web"])
alive = r.random(n, dtype=np.float32) < 0.62
first, rows, began = datetime.date.fromisoformat(g.first), 0, time.time()
for d in range(g.days):
    x = r.random(n, dtype=np.float32)
    alive = np.where(alive, x >= 0.006, x < 0.008)
    alive[start == d] |= d > 0
    day = first + datetime.timedelta(d)
    weekday = 0.92 if day.weekday() >= 5 else 1.0
    who = np.flatnonzero(alive & (start <= d) & (r.random(n, dtype=np.float32) < p * np.float32(weekday)))
    r.shuffle(who)
    messages = np.minimum(r.poisson(rate[who]), 4000).astype(np.uint32)
    away = np.where(r.random(len(who)) < 0.1, r.integers(0, 4, len(who)), client[who]).astype(np.int8)
    t = pa.table({"user": ids[who], "day": pa.array(np.full(len(who), (day - datetime.date(1970, 1, 1)).days, dtype=np.int32)).cast(pa.date32()),
        "messages": messages, "country": pa.DictionaryArray.from_arrays(pa.array(country[who]), countries),
        "client": pa.DictionaryArray.from_arrays(pa.array(away), clients)})
    t = t.cast(pa.schema([("user", pa.uint64()), ("day", pa.date32()), ("messages", pa.uint32()), ("country", pa.string()), ("client", pa.string())]))
    pq.write_table(t, out / f"{day}.parquet", compression="zstd", row_group_size=1 << 20)
    rows += len(who)
print(f"{rows:,} rows, {g.days} days, {time.time() - began:.0f} s")
