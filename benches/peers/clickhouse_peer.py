"""ClickHouse, in process (chdb): over the Parquet files, over a MergeTree of rows, over one packed row a
user, and over states of groupBitmap, of the raw 64-bit ids and of dense 32-bit ids.

As with DuckDB the fastest way over rows is to pack each user's active days into integers (groupBitOr).
Over bitmaps a month is a union of days, cohorts are differences, a cell of retention is an intersection's count.
"""
import datetime, pathlib
from questions import POWER, ROLLING
from duckdb_peer import words_of


class ClickHouse:
    OWN_STORE = True

    def __init__(self, work):
        from chdb import session
        self.span, self.words, self.threads = work.span, work.words, work.threads
        self.store = pathlib.Path(work.store) / "clickhouse"
        self.files, self.structure = f"{work.glob}", "'user UInt64, day Date, messages UInt32'"
        self.session = session.Session(str(self.store))
        # What is compiled just in time costs more than it saves where a query has an expression for each of 180 days.
        for setting in ("compile_aggregate_expressions = 0", "compile_expressions = 0", f"max_threads = {work.threads}", f"max_insert_threads = {work.threads}", f"max_memory_usage = {int(float(work.memory.rstrip('GB')) * 1e9)}"):
            self.session.query(f"SET {setting}")
        self.parquet = self.file(self.files)

    def file(self, path):
        return f"file('{path}', Parquet, {self.structure})"

    @staticmethod
    def version():
        import chdb
        return f"{chdb.engine_version} (chdb {chdb.__version__})"

    def run(self, sql):
        self.session.query(sql)

    def rows(self, sql):
        text = self.session.query(sql, "TSV").bytes().decode()
        return [tuple(line.split("\t")) for line in text.splitlines()]

    def size(self):
        """Bytes of the live parts: parts merged away still lie on the disk for some minutes."""
        return int(self.rows("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = currentDatabase()")[0][0])

    def close(self):
        self.session.close()


def integer(bits):
    return next(width for width in (8, 16, 32, 64) if bits <= width)


def any_of(days, words):
    return " OR ".join(f"bitAnd(w{i}, {mask}) != 0" for i, mask in enumerate(words_of(days, words)) if mask)


def widened(table, words, width):
    """SQL: a user's days, each drawn out to the `width` days that begin there, by doubling."""
    sql, reach = table, 1
    while reach < width:
        by = min(reach, width - reach)
        moved = [f"bitShiftLeft(w{i}, {by})" + (f", bitShiftRight(w{i - 1}, {64 - by})" if i else ", toUInt64(0)") for i in range(words)]
        # Names must change from level to level: ClickHouse lets an alias be used beside where it is made.
        names = ", ".join(f"w{i} AS v{i}" for i in range(words))
        moved = [part.replace("w", "v") for part in moved]
        sql = "(SELECT " + ", ".join(f"bitOr(v{i}, bitOr({part})) AS w{i}" for i, part in enumerate(moved)) + f" FROM (SELECT {names} FROM {sql}))"
        reach += by
    return sql


class UserBits(ClickHouse):
    """Answers from one row of words a user."""

    def day_index(self):
        return f"toUInt16(toUInt16(day) - toUInt16(toDate('{self.span.first}')))"

    def month_index(self):
        return f"((toYear(day) - {self.span.months[0].year}) * 12 + toMonth(day) - {self.span.months[0].month})"

    def week_index(self):
        return f"intDiv(toUInt16(day) - toUInt16(toDate('{self.span.weeks[0]}')), 7)"

    def period_bits(self, index, periods):
        return f"SELECT groupBitOr(bitShiftLeft(toUInt{integer(periods)}(1), toUInt8({index}))) AS bits FROM {self.source} GROUP BY user"

    def packed_sql(self, source):
        words = [f"groupBitOrIf(bitShiftLeft(toUInt64(1), bitAnd(i, 63)), bitShiftRight(i, 6) = {w}) AS w{w}" for w in range(self.words)]
        return f"SELECT user, {', '.join(words)} FROM (SELECT user, {self.day_index()} AS i FROM {source}) GROUP BY user"

    def mau_of(self, bits):
        histogram = [(int(b), int(n)) for b, n in self.rows(f"SELECT bits, count() FROM ({bits}) GROUP BY bits")]
        return [(month, sum(n for b, n in histogram if b >> i & 1)) for i, month in enumerate(self.span.months)]

    def growth_of(self, bits):
        months = len(self.span.months)
        rows = self.rows(f"""
            SELECT i, sumIf(n, now), sumIf(n, now AND NOT ever), sumIf(n, now AND before), sumIf(n, now AND ever AND NOT before), sumIf(n, before AND NOT now) FROM
                (SELECT n, i, bitTest(bits, i) AS now, i > 0 AND bitTest(bits, if(i > 0, i - 1, 0)) AS before, bitAnd(bits, bitShiftLeft(toUInt64(1), i) - 1) != 0 AS ever
                FROM (SELECT toUInt64(bits) AS bits, count() AS n FROM ({bits}) GROUP BY bits) ARRAY JOIN range({months}) AS i) GROUP BY i""")
        return [(self.span.months[int(i)], *figures) for i, *figures in rows]

    def retention_of(self, bits):
        weeks = len(self.span.weeks)
        counts = ", ".join(f"countIf(bitAnd(since, {1 << k}) != 0)" for k in range(weeks))
        rows = self.rows(f"""
            SELECT first, {counts} FROM (SELECT bitCount(bitXor(bits, bits - 1)) - 1 AS first, bitShiftRight(bits, first) AS since
                FROM (SELECT toUInt64(bits) AS bits FROM ({bits}))) GROUP BY first""")
        return [(self.span.weeks[int(first)], k, n) for first, *users in rows for k, n in enumerate(users)]

    def per_day(self, packed):
        counts = self.rows("SELECT " + ", ".join(f"countIf(bitAnd(w{i // 64}, {1 << i % 64}) != 0)" for i in range(len(self.span.days))) + f" FROM {packed}")[0]
        return list(zip(self.span.days, counts))

    def packed_bits(self, starts):
        width = integer(len(starts))
        terms = [f"bitShiftLeft(toUInt{width}({any_of(days, self.words)}), {i})" for i, days in enumerate(self.span.days_of(starts))]
        nested = terms[0]
        for term in terms[1:]:
            nested = f"bitOr({nested}, {term})"
        return f"SELECT {nested} AS bits FROM {self.packed}"

    def packed_l28(self):
        masks = words_of(range(len(self.span.days))[-POWER:], self.words)
        counted = " + ".join(f"bitCount(bitAnd(w{i}, {mask}))" for i, mask in enumerate(masks) if mask)
        return self.rows(f"SELECT {counted} AS n, count() FROM {self.packed} GROUP BY n HAVING n > 0")

    def packed_questions(self):
        return {
            "dau": lambda: self.per_day(self.packed),
            "mau": lambda: self.mau_of(self.packed_bits(self.span.months)),
            "growth": lambda: self.growth_of(self.packed_bits(self.span.months)),
            "l28": self.packed_l28,
            "retention": lambda: self.retention_of(self.packed_bits(self.span.weeks)),
            "rolling": lambda: self.per_day(widened(self.packed, self.words, ROLLING)),
        }


class Rows(UserBits):
    packed = "packed"

    def load(self):
        pass

    def pack(self):
        self.run(f"CREATE OR REPLACE TABLE packed ENGINE = Memory AS {self.packed_sql(self.source)}")

    def suite(self, ask):
        ask("pass", self.pack)
        for question, answer in self.packed_questions().items():
            ask(question, answer)
        self.run("DROP TABLE packed")

    def alone(self):
        months, weeks = (self.month_index(), len(self.span.months)), (self.week_index(), len(self.span.weeks))
        return {
            "dau": lambda: self.rows(f"SELECT day, count() FROM {self.source} GROUP BY day"),
            "mau": lambda: self.mau_of(self.period_bits(*months)),
            "growth": lambda: self.growth_of(self.period_bits(*months)),
            "l28": lambda: self.rows(f"SELECT n, count() FROM (SELECT count() AS n FROM {self.source} WHERE day >= '{self.span.days[-POWER:][0]}' GROUP BY user) GROUP BY n"),
            "retention": lambda: self.retention_of(self.period_bits(*weeks)),
            "rolling": lambda: self.per_day(widened(f"({self.packed_sql(self.source)})", self.words, ROLLING)),
        }

    def tried(self):
        """Idioms that were tried and lost: name to (question, answer)."""
        days, index = len(self.span.days), self.day_index()
        turns = f"""
            SELECT toDate('{self.span.first}') + day, sum(net) OVER (ORDER BY day) FROM
                (SELECT day, sum(n) AS net FROM ({{turns}}) GROUP BY day ORDER BY day WITH FILL FROM 0 TO {days}) WHERE day < {days}"""
        arrays = f"""
            SELECT gap.1 AS day, toInt64(count()) AS n FROM gaps GROUP BY day UNION ALL SELECT least(gap.1 + {ROLLING}, gap.2) AS day, -toInt64(count()) AS n FROM gaps GROUP BY day"""
        return {
            "dau, uniqExact": ("dau", lambda: self.rows(f"SELECT day, uniqExact(user) FROM {self.source} GROUP BY day")),
            "mau, uniqExact": ("mau", lambda: self.rows(f"SELECT toStartOfMonth(day) AS month, uniqExact(user) FROM {self.source} GROUP BY month")),
            "rolling, one UInt256 a user": ("rolling", lambda: self.wide(f"(SELECT groupBitOr(bitShiftLeft(toUInt256(1), {index})) AS w FROM {self.source} GROUP BY user)")),
            "rolling, sorted array of days a user": ("rolling", lambda: self.rows("WITH gaps AS (SELECT arrayJoin(arrayZip(days, arrayPushBack(arrayPopFront(days), 65535))) AS gap FROM "
                f"(SELECT arraySort(groupArray(toInt32({index}))) AS days FROM {self.source} GROUP BY user)) " + turns.format(turns=arrays))),
            "rolling, next active day by leadInFrame": ("rolling", lambda: self.rows("WITH gaps AS (SELECT (day, next) AS gap FROM (SELECT i AS day, leadInFrame(i, 1, 65535) OVER "
                f"(PARTITION BY user ORDER BY i ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS next FROM (SELECT user, toInt32({index}) AS i FROM {self.source}))) " + turns.format(turns=arrays))),
        }

    def wide(self, users):
        names = iter("abcdefgh")
        reach, sql, column = 1, users, "w"
        while reach < ROLLING:
            by, name = min(reach, ROLLING - reach), next(names)
            sql, column, reach = f"(SELECT bitOr({column}, bitShiftLeft({column}, {by})) AS {name} FROM {sql})", name, reach + by
        counts = self.rows("SELECT " + ", ".join(f"countIf(bitAnd({column}, bitShiftLeft(toUInt256(1), {i})) != 0)" for i in range(len(self.span.days))) + f" FROM {sql}")[0]
        return list(zip(self.span.days, counts))


class Parquet(Rows):
    OWN_STORE = False

    def __init__(self, work):
        super().__init__(work)
        self.source = self.parquet


class Table(Rows):
    """A MergeTree by (user, day) merged into one part, so that a user's rows lie together and GROUP BY user runs in order.

    In order it needs a third of the time of a MergeTree by (day, user); not yet merged it would need more.
    """
    source = "activity"
    ORDER = "user, day"

    def __init__(self, work):
        super().__init__(work)
        self.run(f"SET optimize_aggregation_in_order = {int(self.ORDER.startswith('user'))}")

    def load(self):
        self.run(f"CREATE TABLE activity (user UInt64, day Date, messages UInt32) ENGINE = MergeTree ORDER BY ({self.ORDER})")
        self.run(f"INSERT INTO activity SELECT user, day, messages FROM {self.parquet}")
        if self.ORDER.startswith("user"):
            self.run("OPTIMIZE TABLE activity FINAL")

    def add(self, file):
        self.run(f"INSERT INTO activity SELECT user, day, messages FROM {self.file(file)}")


class TableByDay(Table):
    ORDER = "day, user"


class Packed(UserBits):
    """One row a user by an engine that joins the words of later inserts on its own: AggregatingMergeTree."""
    source = "packed"

    def __init__(self, work):
        super().__init__(work)
        words = ", ".join(f"groupBitOr(w{i}) AS w{i}" for i in range(self.words))
        parts = self.rows("SELECT count() FROM system.parts WHERE active AND table = 'packed'")
        # One part holds each user once; several are grouped as they are read.
        self.packed = "packed" if int(parts[0][0]) == 1 else f"(SELECT {words} FROM packed GROUP BY user)"

    def load(self):
        words = ", ".join(f"w{i} SimpleAggregateFunction(groupBitOr, UInt64)" for i in range(self.words))
        self.run(f"CREATE TABLE packed (user UInt64, {words}) ENGINE = AggregatingMergeTree ORDER BY user")
        self.run(f"INSERT INTO packed {self.packed_sql(self.parquet)}")
        self.run("OPTIMIZE TABLE packed FINAL")
        self.packed = "packed"

    def add(self, file):
        self.run(f"INSERT INTO packed {self.packed_sql(self.file(file))}")
        self.run("OPTIMIZE TABLE packed FINAL")
        self.packed = "packed"

    def suite(self, ask):
        for question, answer in self.packed_questions().items():
            ask(question, answer)

    alone = UserBits.packed_questions


class Bitmap32(ClickHouse):
    """A state of groupBitmap a day over dense ids (1, 2, ...), which a table gives to every user once, as an analyst would for speed."""
    KIND = "UInt32"

    def load(self):
        self.run(f"CREATE TABLE days (day Date, users AggregateFunction(groupBitmap, {self.KIND})) ENGINE = AggregatingMergeTree ORDER BY day SETTINGS index_granularity = 1")
        self.run("CREATE TABLE ids (user UInt64, id UInt32) ENGINE = MergeTree ORDER BY user")
        self.fill(self.parquet)

    def fill(self, source):
        self.run(f"""INSERT INTO ids SELECT user, (SELECT max(id) FROM ids) + rowNumberInAllBlocks() + 1 FROM
            (SELECT DISTINCT user FROM {source} WHERE user NOT IN (SELECT user FROM ids))""")
        self.run(f"""INSERT INTO days SELECT day, groupBitmapState(id) FROM
            (SELECT day, id FROM {source} AS rows INNER JOIN ids ON rows.user = ids.user) GROUP BY day""")

    def add(self, file):
        self.fill(self.file(file))

    def periods(self, start):
        """SQL: the users of each period, and those seen in any period before it."""
        return f"""SELECT period, users, groupBitmapMergeState(users) OVER (ORDER BY period ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS seen
            FROM (SELECT {start} AS period, groupBitmapMergeState(users) AS users FROM days GROUP BY period)"""

    def growth(self):
        return self.rows(f"""
            WITH months AS ({self.periods('toStartOfMonth(day)')}),
            pairs AS (SELECT now.period AS period, now.users AS users, now.seen AS seen, before.users AS earlier FROM months AS now
                LEFT JOIN months AS before ON before.period = addMonths(now.period, -1))
            SELECT period, bitmapCardinality(users), bitmapAndnotCardinality(users, seen), bitmapAndCardinality(users, earlier),
                bitmapAndCardinality(users, seen) - bitmapAndCardinality(users, earlier), bitmapAndnotCardinality(earlier, users) FROM pairs""")

    def retention(self):
        return self.rows(f"""
            WITH weeks AS ({self.periods('toMonday(day)')}), cohorts AS (SELECT period, bitmapAndnot(users, seen) AS users FROM weeks)
            SELECT c.period, intDiv(toUInt16(w.period) - toUInt16(c.period), 7), bitmapAndCardinality(c.users, w.users)
            FROM cohorts AS c CROSS JOIN weeks AS w WHERE w.period >= c.period""")

    def l28(self):
        return self.rows(f"""SELECT n, count() FROM (SELECT count() AS n FROM
            (SELECT arrayJoin(bitmapToArray(users)) AS user FROM days WHERE day >= '{self.span.days[-POWER:][0]}') GROUP BY user) GROUP BY n""")

    def rolling_windows(self):
        """One merge a window."""
        return self.rows(f"""SELECT toDate('{self.span.first}') + end, groupBitmapMerge(users) FROM days
            ARRAY JOIN range(toUInt32(day - toDate('{self.span.first}')), toUInt32(day - toDate('{self.span.first}')) + {ROLLING}) AS end
            WHERE end < {len(self.span.days)} GROUP BY end""")

    def rolling_frames(self):
        """The same as a window function."""
        return self.rows(f"SELECT day, finalizeAggregation(groupBitmapMergeState(users) OVER (ORDER BY day ROWS BETWEEN {ROLLING - 1} PRECEDING AND CURRENT ROW)) FROM days")

    def rolling_doubled(self):
        """Windows of 2, 4, 8, 16, 30 days, each the union of two shorter ones: 5 unions a day instead of 29."""
        reach, sql = 1, "(SELECT day, users FROM days)"
        while reach < ROLLING:
            by = min(reach, ROLLING - reach)
            sql = f"(SELECT day, groupBitmapMergeState(users) OVER (ORDER BY day ROWS BETWEEN {by} PRECEDING AND {by} PRECEDING) AS earlier, bitmapOr(users, earlier) AS users_{reach + by} FROM {sql})"
            sql = f"(SELECT day, users_{reach + by} AS users FROM {sql})"
            reach += by
        return self.rows(f"SELECT day, bitmapCardinality(users) FROM {sql}")

    def alone(self):
        return {
            "dau": lambda: self.rows("SELECT day, bitmapCardinality(users) FROM days FINAL"),
            "mau": lambda: self.rows("SELECT toStartOfMonth(day) AS month, groupBitmapMerge(users) FROM days GROUP BY month"),
            "growth": self.growth,
            "l28": self.l28,
            "retention": self.retention,
            "rolling": self.rolling_windows,
        }

    def suite(self, ask):
        for question, answer in self.alone().items():
            ask(question, answer)

    def tried(self):
        return {"rolling, a merge a window": ("rolling", self.rolling_windows), "rolling, window function": ("rolling", self.rolling_frames), "rolling, doubling": ("rolling", self.rolling_doubled)}


class Bitmap64(Bitmap32):
    """The same over the ids as they come.

    Random 64-bit ids have few neighbours, so a Roaring bitmap of them is a small bitmap for nearly each: some 460
    bytes a user and day in memory. Hence days are loaded one by one, never merged in the background, and every
    period and window is a query of its own; all at once they would want more memory than most machines have.
    """
    KIND = "UInt64"

    def __init__(self, work):
        super().__init__(work)
        self.days = work.files
        self.run("SET max_block_size = 1")
        self.run("SYSTEM STOP MERGES")

    def load(self):
        self.run(f"CREATE TABLE days (day Date, users AggregateFunction(groupBitmap, {self.KIND})) ENGINE = MergeTree ORDER BY day SETTINGS index_granularity = 1")
        for file in self.days:
            self.fill(self.file(file))

    def fill(self, source):
        self.run(f"INSERT INTO days SELECT day, groupBitmapState(user) FROM {source} GROUP BY day SETTINGS max_block_size = 65536")

    def between(self, start, end):
        return f"day BETWEEN '{start}' AND '{end}'"

    def ends(self, starts):
        return [*(start - datetime.timedelta(1) for start in starts[1:]), self.span.last]

    def mau(self):
        return [(month, self.rows(f"SELECT groupBitmapMerge(users) FROM days WHERE {self.between(month, end)}")[0][0]) for month, end in zip(self.span.months, self.ends(self.span.months))]

    def growth(self):
        state, rows = "(SELECT groupBitmapMergeState(users) FROM days WHERE {})", []
        for i, (month, end) in enumerate(zip(self.span.months, self.ends(self.span.months))):
            before = self.between(self.span.months[max(i - 1, 0)], month - datetime.timedelta(1))
            rows.append((month, *self.rows(f"""
                WITH {state.format(self.between(month, end))} AS now, {state.format(before)} AS earlier, {state.format(f"day < '{month}'")} AS seen
                SELECT bitmapCardinality(now), bitmapAndnotCardinality(now, seen), bitmapAndCardinality(now, earlier),
                    bitmapAndCardinality(now, seen) - bitmapAndCardinality(now, earlier), bitmapAndnotCardinality(earlier, now)""")[0]))
        return rows

    def rolling_windows(self):
        return [(day, self.rows(f"SELECT groupBitmapMerge(users) FROM days WHERE {self.between(day - datetime.timedelta(ROLLING - 1), day)}")[0][0]) for day in self.span.days]

    def alone(self):
        return {**super().alone(), "dau": lambda: self.rows("SELECT day, bitmapCardinality(users) FROM days"), "mau": self.mau}


VARIANTS = {"clickhouse-parquet": Parquet, "clickhouse-table": Table, "clickhouse-table-by-day": TableByDay, "clickhouse-packed": Packed, "clickhouse-bitmap64": Bitmap64, "clickhouse-bitmap32": Bitmap32}
