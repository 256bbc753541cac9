"""The answers by Python sets, in the words of the definitions: the judge of every engine on a small set."""
import collections
import pyarrow.parquet
from questions import POWER, ROLLING


class Naive:
    OWN_STORE = False
    SLOW = True

    def __init__(self, work):
        self.span = work.span
        self.days = {}
        for file in work.files:
            table = pyarrow.parquet.read_table(file, columns=["user", "day"])
            for user, day in zip(table["user"].to_pylist(), table["day"].to_pylist()):
                self.days.setdefault(day, set()).add(user)

    @staticmethod
    def version():
        return "1"

    def load(self):
        pass

    def suite(self, ask):
        for question in ("dau", "mau", "growth", "l28", "retention", "rolling"):
            ask(question, getattr(self, question))

    def union(self, days):
        return set().union(*(self.days.get(day, ()) for day in days))

    def periods(self, starts):
        return [self.union(self.span.days[i] for i in days) for days in self.span.days_of(starts)]

    def dau(self):
        return [(day, len(self.days.get(day, ()))) for day in self.span.days]

    def mau(self):
        return [(month, len(users)) for month, users in zip(self.span.months, self.periods(self.span.months))]

    def growth(self):
        rows, seen, before = [], set(), set()
        for month, active in zip(self.span.months, self.periods(self.span.months)):
            rows.append((month, len(active), len(active - seen), len(active & before), len((active & seen) - before), len(before - active)))
            seen, before = seen | active, active
        return rows

    def l28(self):
        counts = collections.Counter(user for day in self.span.days[-POWER:] for user in self.days.get(day, ()))
        return list(collections.Counter(counts.values()).items())

    def retention(self):
        rows, seen, weeks = [], set(), self.periods(self.span.weeks)
        for i, active in enumerate(weeks):
            cohort = active - seen
            rows += [(self.span.weeks[i], k - i, len(cohort & weeks[k])) for k in range(i, len(weeks))]
            seen |= active
        return rows

    def rolling(self):
        return [(day, len(self.union(self.span.days[max(0, i - ROLLING + 1):i + 1]))) for i, day in enumerate(self.span.days)]
