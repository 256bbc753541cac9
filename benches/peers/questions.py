"""The six questions, the rows that answer each, and whether two answers are the same.

Every engine answers every question over all user-days with exactly these rows, sorted, dates as
YYYY-MM-DD and figures as integers. A user is active on a day where a row of theirs has that day.
"""
import csv, datetime, io

QUESTIONS = {
    # name: (what is asked, columns of the answer, how many of them are the key)
    "dau": ("DAU of every day", ("day", "users"), 1),
    "mau": ("MAU of every calendar month", ("month", "users"), 1),
    "growth": ("growth accounting by month", ("month", "active", "new", "retained", "resurrected", "churned"), 1),
    "l28": ("L28 of the last day", ("active_days", "users"), 1),
    "retention": ("weekly retention triangle", ("cohort", "week", "users"), 2),
    "rolling": ("rolling 30-day MAU of every day", ("day", "users"), 1),
}
# mau: users active in the month, which is named by its first day.
# growth: new = first month ever (so of the first month new = active); retained = active in the month before
#   too; resurrected = neither; churned = active in the month before, not in this one.
# l28: users by number of active days in the 28 days that end on the last day; numbers that nobody has are left out.
# retention: ISO weeks named by their Monday; a cohort is the users first active in that week, `week` counts
#   weeks since (0 = the cohort itself); cells with nobody are left out.
# rolling: users active in the 30 days that end on the day; of the first 29 days, in as many as there are.
LEFT_OUT_WHEN_ZERO = {"dau", "l28", "retention"}
ROLLING, POWER = 30, 28


class Span:
    """The days asked about, first and last included, and where months and weeks begin in them."""

    def __init__(self, first, last):
        self.first, self.last = first, last
        self.days = [first + datetime.timedelta(i) for i in range((last - first).days + 1)]
        self.months = sorted({day.replace(day=1) for day in self.days})
        self.weeks = sorted({day - datetime.timedelta(day.weekday()) for day in self.days})

    def index(self, day):
        return (day - self.first).days

    def days_of(self, periods):
        """For each period the indices of its days that are in the span."""
        ends = [*periods[1:], self.last + datetime.timedelta(1)]
        return [range(max(0, self.index(start)), self.index(end)) for start, end in zip(periods, ends)]


def cell(value):
    """A figure or date as the answers are compared by; None where the engine leaves it out."""
    if value is None or value == "":
        return None
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()[:10]
    if isinstance(value, str):
        return value[:10] if value[4:5] == "-" else int(float(value))
    return int(value)


def answer(question, rows):
    """The rows as they are compared: cells normal, nobody's cells left out, sorted."""
    rows = [tuple(cell(value) for value in row) for row in rows]
    if question in LEFT_OUT_WHEN_ZERO:
        rows = [row for row in rows if row[-1] != 0]
    return sorted(rows)


def difference(question, expected, got):
    """What is unlike, in words, or '' where the answers agree row for row.

    A cell that an engine leaves out (None) is not compared, a row that is missing is a difference.
    """
    keys = QUESTIONS[question][2]
    ours, theirs = ({row[:keys]: row[keys:] for row in rows} for rows in (expected, got))
    if len(ours) != len(expected) or len(theirs) != len(got):
        return "a key occurs twice"
    for key in sorted(ours.keys() ^ theirs.keys()):
        return f"row {key} is only in the {'reference' if key in ours else 'answer'}; {len(expected)} and {len(got)} rows"
    for key, row in sorted(ours.items()):
        if any(a != b for a, b in zip(row, theirs[key]) if None not in (a, b)) or len(row) != len(theirs[key]):
            return f"row {key} is {row} in the reference, {theirs[key]} in the answer"
    return ""


def left_out(got):
    return sum(value is None for row in got for value in row)


def from_csv(text, columns, keep=lambda row: True):
    """Rows of a CSV with a header, in the order of `columns`: names, or functions of the row."""
    rows = [row for row in csv.DictReader(io.StringIO(text)) if keep(row)]
    return [tuple(column(row) if callable(column) else row[column] for column in columns) for row in rows]
