"""DuckDB: over the Parquet files, over a table of rows, over a table of one row a user.

What answers fastest is one pass that packs each user's active days into 64-bit words (bit_or of
1 << day), about 4.6 million rows out of 166 million. Months, weeks and windows are then arithmetic on words,
and a count per day is count_if of one bit. A question asked alone packs only what it needs: months into
the bits of one integer, weeks likewise.
"""
import pathlib
import duckdb
from questions import POWER, ROLLING

ALL = (1 << 64) - 1


def integer(bits):
    return next(name for width, name in ((8, "UTINYINT"), (16, "USMALLINT"), (32, "UINTEGER"), (64, "UBIGINT")) if bits <= width)


def words_of(days, words):
    """The days as one constant a word."""
    return [sum(1 << (day - 64 * word) for day in days if day // 64 == word) for word in range(words)]


def any_of(days, words):
    """SQL: is the user active on any of the days?"""
    parts = [f"(w{i} & {mask}::UBIGINT)" for i, mask in enumerate(words_of(days, words)) if mask]
    return "(" + " | ".join(parts) + ") <> 0"


def shifted(words, by):
    """SQL of each word with all days moved `by` later; << of DuckDB fails where a bit falls off, hence the mask."""
    keep = ALL >> by
    return [f"((w{i} & {keep}::UBIGINT) << {by})" + (f" | (w{i - 1} >> {64 - by})" if i else "") for i in range(words)]


def widened(table, words, width):
    """SQL: a user's days, each drawn out to the `width` days that begin there, by doubling."""
    sql, reach = f"SELECT {', '.join(f'w{i}' for i in range(words))} FROM {table}", 1
    while reach < width:
        by = min(reach, width - reach)
        sql = "SELECT " + ", ".join(f"w{i} | {moved} AS w{i}" for i, moved in enumerate(shifted(words, by))) + f" FROM ({sql})"
        reach += by
    return sql


class DuckDB:
    OWN_STORE = True

    def __init__(self, work):
        self.span, self.words, self.store = work.span, work.words, pathlib.Path(work.store) / "peer.duckdb"
        self.store.parent.mkdir(parents=True, exist_ok=True)
        self.parquet = f"read_parquet({[str(file) for file in work.files]!r})"
        self.connection = duckdb.connect(str(self.store) if self.OWN_STORE else ":memory:")
        self.connection.execute(f"SET threads = {work.threads}; SET memory_limit = '{work.memory}'; SET preserve_insertion_order = false; SET temp_directory = '{work.store}/spill'")

    @staticmethod
    def version():
        return duckdb.__version__

    def rows(self, sql):
        return self.connection.execute(sql).fetchall()

    # One integer a user with a bit for each period

    def day_index(self):
        return f"(day - DATE '{self.span.first}')"

    def month_index(self):
        start = self.span.months[0]
        return f"((year(day) - {start.year}) * 12 + month(day) - {start.month})"

    def week_index(self):
        return f"((day - DATE '{self.span.weeks[0]}') // 7)"

    def period_bits(self, index, periods):
        kind = integer(periods)
        return f"SELECT bit_or(1::{kind} << ({index})::{kind}) AS bits FROM {self.source} GROUP BY user"

    def packed_sql(self, source):
        words = [f"bit_or(CASE WHEN i >= {64 * w} AND i < {64 * w + 64} THEN 1::UBIGINT << (i - {64 * w}) ELSE 0 END) AS w{w}" for w in range(self.words)]
        return f"SELECT user, {', '.join(words)} FROM (SELECT user, {self.day_index()}::UBIGINT AS i FROM {source}) GROUP BY user"

    # Answers from period bits

    def mau_of(self, bits):
        histogram = self.rows(f"SELECT bits, count(*) FROM ({bits}) GROUP BY bits")
        return [(month, sum(n for b, n in histogram if b >> i & 1)) for i, month in enumerate(self.span.months)]

    def growth_of(self, bits):
        months = ", ".join(f"({i}, DATE '{month}')" for i, month in enumerate(self.span.months))
        return self.rows(f"""
            WITH users AS (SELECT bits::BIGINT AS bits, count(*) AS n FROM ({bits}) GROUP BY bits), months(i, month) AS (VALUES {months}),
            seen AS (SELECT month, n, bits >> i & 1 = 1 AS now, i > 0 AND bits >> greatest(i - 1, 0) & 1 = 1 AS before, bits & ((1 << i) - 1) <> 0 AS ever FROM users, months)
            SELECT month, sum(n) FILTER (now), coalesce(sum(n) FILTER (now AND NOT ever), 0), coalesce(sum(n) FILTER (now AND before), 0),
                coalesce(sum(n) FILTER (now AND ever AND NOT before), 0), coalesce(sum(n) FILTER (before AND NOT now), 0)
            FROM seen GROUP BY month ORDER BY month""")

    def retention_of(self, bits):
        weeks = len(self.span.weeks)
        counts = ", ".join(f"count_if(since & {1 << k} <> 0)" for k in range(weeks))
        rows = self.rows(f"""
            SELECT first, {counts} FROM (SELECT first, bits >> first AS since FROM
                (SELECT bits, bit_count(xor(bits, bits - 1)) - 1 AS first FROM (SELECT bits::UBIGINT AS bits FROM ({bits})))) GROUP BY first""")
        return [(self.span.weeks[first], k, n) for first, *users in rows for k, n in enumerate(users)]

    def per_day(self, packed):
        counts = self.rows("SELECT " + ", ".join(f"count_if(w{i // 64} & {1 << i % 64}::UBIGINT <> 0)" for i in range(len(self.span.days))) + f" FROM ({packed})")[0]
        return list(zip(self.span.days, counts))

    def packed_bits(self, starts):
        terms = [f"CASE WHEN {any_of(days, self.words)} THEN {1 << i} ELSE 0 END" for i, days in enumerate(self.span.days_of(starts))]
        return f"SELECT ({' | '.join(terms)})::{integer(len(starts))} AS bits FROM packed"

    def packed_l28(self):
        masks = words_of(range(len(self.span.days))[-POWER:], self.words)
        counted = " + ".join(f"bit_count(w{i} & {mask}::UBIGINT)" for i, mask in enumerate(masks) if mask)
        return [row for row in self.rows(f"SELECT {counted} AS n, count(*) FROM packed GROUP BY n") if row[0]]

    def packed_questions(self):
        return {
            "dau": lambda: self.per_day("SELECT * FROM packed"),
            "mau": lambda: self.mau_of(self.packed_bits(self.span.months)),
            "growth": lambda: self.growth_of(self.packed_bits(self.span.months)),
            "l28": self.packed_l28,
            "retention": lambda: self.retention_of(self.packed_bits(self.span.weeks)),
            "rolling": lambda: self.per_day(widened("packed", self.words, ROLLING)),
        }


class Rows(DuckDB):
    """Questions of rows, be they in files or in a table."""

    def load(self):
        pass

    def pack(self):
        self.rows(f"CREATE OR REPLACE TEMP TABLE packed AS {self.packed_sql(self.source)}")

    def suite(self, ask):
        ask("pass", self.pack)
        for question, answer in self.packed_questions().items():
            ask(question, answer)

    def alone(self):
        months, weeks = (self.month_index(), len(self.span.months)), (self.week_index(), len(self.span.weeks))
        return {
            "dau": lambda: self.rows(f"SELECT day, count(*) FROM {self.source} GROUP BY day"),
            "mau": lambda: self.mau_of(self.period_bits(*months)),
            "growth": lambda: self.growth_of(self.period_bits(*months)),
            "l28": lambda: self.rows(f"SELECT n, count(*) FROM (SELECT count(*) AS n FROM {self.source} WHERE day >= DATE '{self.span.days[-POWER:][0]}' GROUP BY user) GROUP BY n"),
            "retention": lambda: self.retention_of(self.period_bits(*weeks)),
            "rolling": lambda: self.per_day(widened(f"({self.packed_sql(self.source)})", self.words, ROLLING)),
        }

    def tried(self):
        """Idioms that were tried and lost: name to (question, answer)."""
        first, last = self.span.first, self.span.last
        return {
            "dau, count(DISTINCT user)": ("dau", lambda: self.rows(f"SELECT day, count(DISTINCT user) FROM {self.source} GROUP BY day")),
            "mau, count(DISTINCT user)": ("mau", lambda: self.rows(f"SELECT date_trunc('month', day), count(DISTINCT user) FROM {self.source} GROUP BY 1")),
            "growth, distinct months and lag()": ("growth", lambda: self.rows(f"""
                WITH months AS (SELECT DISTINCT user, date_trunc('month', day)::DATE AS month FROM {self.source}),
                seen AS (SELECT month, lag(month) OVER w AS before, lead(month) OVER w AS after FROM months WINDOW w AS (PARTITION BY user ORDER BY month)),
                now AS (SELECT month, count(*) AS active, count(*) FILTER (before IS NULL) AS fresh, count(*) FILTER (before = month - INTERVAL 1 MONTH) AS kept,
                    count(*) FILTER (before < month - INTERVAL 1 MONTH) AS back FROM seen GROUP BY month),
                gone AS (SELECT month + INTERVAL 1 MONTH AS month, count(*) AS churned FROM seen WHERE after IS DISTINCT FROM month + INTERVAL 1 MONTH GROUP BY month)
                SELECT month, active, fresh, kept, back, coalesce(churned, 0) FROM now LEFT JOIN gone USING (month)""")),
            "rolling, next active day by lead()": ("rolling", lambda: self.rows(f"""
                WITH gaps AS (SELECT day, lead(day) OVER (PARTITION BY user ORDER BY day) AS next FROM {self.source}),
                turns AS (SELECT day, count(*) AS n FROM gaps GROUP BY day
                    UNION ALL SELECT least(day + {ROLLING}, coalesce(next, DATE '9999-01-01')), -count(*) FROM gaps GROUP BY 1),
                days AS (SELECT unnest(generate_series(DATE '{first}', DATE '{last}', INTERVAL 1 DAY))::DATE AS day),
                net AS (SELECT day, sum(n) AS n FROM turns GROUP BY day)
                SELECT day, sum(coalesce(n, 0)) OVER (ORDER BY day)::BIGINT FROM days LEFT JOIN net USING (day)""")),
            "rolling, sorted list of days a user": ("rolling", lambda: self.rows(f"""
                WITH users AS (SELECT list_sort(list({self.day_index()}::USMALLINT)) AS days FROM {self.source} GROUP BY user),
                gaps AS (SELECT unnest(days)::INTEGER AS day, unnest(list_append(days[2:], 65535))::INTEGER AS next FROM users),
                turns AS (SELECT day, count(*) AS n FROM gaps GROUP BY day UNION ALL SELECT least(day + {ROLLING}, next), -count(*) FROM gaps GROUP BY 1),
                days AS (SELECT unnest(range({len(self.span.days)})) AS day), net AS (SELECT day, sum(n) AS n FROM turns GROUP BY day)
                SELECT DATE '{first}' + day::INTEGER, sum(coalesce(n, 0)) OVER (ORDER BY day)::BIGINT FROM days LEFT JOIN net USING (day)""")),
        }


class Parquet(Rows):
    OWN_STORE = False

    def __init__(self, work):
        super().__init__(work)
        self.source = self.parquet


class Table(Rows):
    source = "activity"

    def load(self):
        self.rows(f"CREATE TABLE activity AS SELECT user, day, messages FROM {self.parquet}")
        self.rows("CHECKPOINT")

    def add(self, file):
        self.rows(f"INSERT INTO activity SELECT user, day, messages FROM read_parquet('{file}')")


class Packed(DuckDB):
    """A table of one row a user, the active days packed into words, kept as the store."""

    def load(self):
        self.rows(f"CREATE TABLE packed AS {self.packed_sql(self.parquet)}")
        self.rows("CHECKPOINT")

    def add(self, file):
        words = range(self.words)
        self.rows(f"""
            CREATE TABLE fresh AS SELECT coalesce(p.user, n.user) AS user, {', '.join(f'coalesce(p.w{i}, 0::UBIGINT) | coalesce(n.w{i}, 0::UBIGINT) AS w{i}' for i in words)}
            FROM packed AS p FULL JOIN ({self.packed_sql(f"read_parquet('{file}')")}) AS n USING (user);
            DROP TABLE packed; ALTER TABLE fresh RENAME TO packed; CHECKPOINT""")

    def suite(self, ask):
        for question, answer in self.packed_questions().items():
            ask(question, answer)

    alone = DuckDB.packed_questions


VARIANTS = {"duckdb-parquet": Parquet, "duckdb-table": Table, "duckdb-packed": Packed}
