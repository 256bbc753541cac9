"""Numbers as they are shown, and rows as they are compared."""

from datetime import date


class Rounded:
    """A number shown with so many digits; what is shown may be off by half of the last one, and no more."""

    def __init__(self, value, digits):
        self.value, self.digits = value, digits

    @staticmethod
    def of(value, digits):
        return None if value is None else Rounded(value, digits)

    def matches(self, text):
        if text == "":
            return False
        slack = 0.5 * 10**-self.digits * (1 + 1e-6) + 1e-9 * abs(self.value)
        return abs(float(text) - self.value) <= slack

    def __repr__(self):
        return f"{self.value:.{self.digits}f}"


def ratio(value, of, digits, plus=0):
    return Rounded(value / of + plus, digits) if of else None


def nulls_last(value):
    return (value is None, 0 if value is None else value)


def shown(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def same(value, text):
    if isinstance(value, Rounded):
        return value.matches(text)
    if isinstance(value, float):
        return Rounded(value, 9).matches(text)
    return shown(value) == text


def difference(expected, header, answer):
    """The first difference of an answer from what is expected, in words; None where there is none."""
    for i, (row, told) in enumerate(zip(expected, answer)):
        for column, text in zip(header, told):
            if column not in row:
                return f"row {i + 1}: the oracle has no column {column}"
            if not same(row[column], text):
                return f"row {i + 1}, {column}: essor {text!r}, oracle {shown(row[column])!r}"
    if len(expected) != len(answer):
        return f"essor gives {len(answer)} rows, the oracle {len(expected)}"
    return None
