"""Polars over the Parquet files, lazily, by the streaming engine.

Polars has no shift of bits, so a bit is a power of two. A user's days are the sum of theirs, which is their
union because a user has one row a day (bitwise_or would not need that, and takes twice the time); periods
are united by bitwise_or.
"""
import polars as pl
from duckdb_peer import ALL, words_of
from questions import POWER, ROLLING


def integer(bits):
    return next(kind for width, kind in ((8, pl.UInt8), (16, pl.UInt16), (32, pl.UInt32), (64, pl.UInt64)) if bits <= width)


class Polars:
    """Needs POLARS_MAX_THREADS set before the import: child.py does it."""
    OWN_STORE = False

    def __init__(self, work):
        self.span, self.words, self.files = work.span, work.words, work.files
        self.rows = self.scan(self.files)
        self.users = None

    @staticmethod
    def version():
        return pl.__version__

    def load(self):
        pass

    @staticmethod
    def scan(files):
        return pl.scan_parquet(files).select("user", "day")

    @staticmethod
    def collect(frame):
        return frame.collect(engine="streaming")

    def since(self, day):
        return (pl.col("day").cast(pl.Int32) - pl.lit(day).cast(pl.Int32))

    def packed(self):
        index = self.since(self.span.first).alias("i")
        words = [pl.when(pl.col("i").is_between(64 * w, 64 * w + 63)).then(pl.lit(2, pl.UInt64).pow((pl.col("i") - 64 * w).cast(pl.UInt32))).otherwise(pl.lit(0, pl.UInt64)).sum().alias(f"w{w}") for w in range(self.words)]
        return self.collect(self.rows.select("user", index).group_by("user").agg(words).drop("user"))

    def period_bits(self, index, periods):
        bit = pl.lit(2, integer(periods)).pow(index.cast(pl.UInt8)).cast(integer(periods)).bitwise_or().alias("bits")
        return self.collect(self.rows.group_by("user").agg(bit).group_by("bits").len())

    def months(self):
        start = self.span.months[0]
        return self.period_bits((pl.col("day").dt.year() - start.year) * 12 + pl.col("day").dt.month() - start.month, len(self.span.months))

    def weeks(self):
        return self.period_bits(self.since(self.span.weeks[0]) // 7, len(self.span.weeks))

    def mau_of(self, users):
        histogram = users.rows()
        return [(month, sum(n for b, n in histogram if b >> i & 1)) for i, month in enumerate(self.span.months)]

    def growth_of(self, users):
        histogram, rows = users.rows(), []
        for i, month in enumerate(self.span.months):
            kinds = [(n, b >> i & 1, i > 0 and b >> (i - 1) & 1, b & ((1 << i) - 1)) for b, n in histogram]
            rows.append((month, sum(n for n, now, _, _ in kinds if now), sum(n for n, now, _, ever in kinds if now and not ever),
                sum(n for n, now, before, _ in kinds if now and before), sum(n for n, now, before, ever in kinds if now and ever and not before),
                sum(n for n, now, before, _ in kinds if before and not now)))
        return rows

    def retention_of(self, users):
        weeks, bits = len(self.span.weeks), pl.col("bits").cast(pl.UInt64)
        first = bits.bitwise_trailing_zeros().cast(pl.UInt32).alias("first")
        since = (bits // pl.lit(2, pl.UInt64).pow(bits.bitwise_trailing_zeros().cast(pl.UInt32))).alias("since")
        counts = [pl.col("len").filter(pl.col("since") & (1 << k) != 0).sum().alias(str(k)) for k in range(weeks)]
        table = self.collect(users.lazy().select(first, since, "len").group_by("first").agg(counts))
        return [(self.span.weeks[first], k, n) for first, *users in table.rows() for k, n in enumerate(users)]

    def per_day(self, users):
        counts = users.lazy().select((pl.col(f"w{i // 64}") & pl.lit(1 << i % 64, pl.UInt64) != 0).sum().alias(str(i)) for i in range(len(self.span.days)))
        return list(zip(self.span.days, self.collect(counts).row(0)))

    def packed_bits(self, users, starts):
        kind, bits = integer(len(starts)), None
        for i, days in enumerate(self.span.days_of(starts)):
            parts = [pl.col(f"w{w}") & pl.lit(mask, pl.UInt64) != 0 for w, mask in enumerate(words_of(days, self.words)) if mask]
            bit = pl.any_horizontal(parts).cast(kind) * pl.lit(1 << i, kind)
            bits = bit if bits is None else bits | bit
        return self.collect(users.lazy().select(bits.alias("bits")).group_by("bits").len())

    def packed_l28(self, users):
        masks = words_of(range(len(self.span.days))[-POWER:], self.words)
        counted = sum((pl.col(f"w{w}") & pl.lit(mask, pl.UInt64)).bitwise_count_ones() for w, mask in enumerate(masks) if mask)
        return self.collect(users.lazy().select(counted.alias("n")).filter(pl.col("n") > 0).group_by("n").len()).rows()

    def widened(self, users, width):
        reach, frame = 1, users.lazy().select(f"w{w}" for w in range(self.words))
        while reach < width:
            by = min(reach, width - reach)
            up, down = pl.lit(1 << by, pl.UInt64), pl.lit(1 << (64 - by), pl.UInt64)
            words = []
            for w in range(self.words):
                moved = (pl.col(f"w{w}") & pl.lit(ALL >> by, pl.UInt64)) * up
                words.append((pl.col(f"w{w}") | moved | (pl.col(f"w{w - 1}") // down) if w else pl.col("w0") | moved).alias(f"w{w}"))
            frame, reach = frame.select(words), reach + by
        return self.collect(frame)

    def pack(self):
        self.users = self.packed()

    def suite(self, ask):
        ask("pass", self.pack)
        ask("dau", lambda: self.per_day(self.users))
        ask("mau", lambda: self.mau_of(self.packed_bits(self.users, self.span.months)))
        ask("growth", lambda: self.growth_of(self.packed_bits(self.users, self.span.months)))
        ask("l28", lambda: self.packed_l28(self.users))
        ask("retention", lambda: self.retention_of(self.packed_bits(self.users, self.span.weeks)))
        ask("rolling", lambda: self.per_day(self.widened(self.users, ROLLING)))

    def alone(self):
        last = self.scan(self.files[-POWER:])
        return {
            "dau": lambda: self.collect(self.rows.group_by("day").len()).rows(),
            "mau": lambda: self.mau_of(self.months()),
            "growth": lambda: self.growth_of(self.months()),
            "l28": lambda: self.collect(last.group_by("user").agg(pl.len().alias("n")).group_by("n").len()).rows(),
            "retention": lambda: self.retention_of(self.weeks()),
            "rolling": lambda: self.per_day(self.widened(self.packed(), ROLLING)),
        }

    def tried(self):
        return {
            "dau, n_unique": ("dau", lambda: self.collect(self.rows.group_by("day").agg(pl.col("user").n_unique())).rows()),
            "mau, n_unique": ("mau", lambda: self.collect(self.rows.group_by(pl.col("day").dt.month_start()).agg(pl.col("user").n_unique())).rows()),
        }


VARIANTS = {"polars-parquet": Polars}
