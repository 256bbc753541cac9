"""Which questions are asked of a set, with random parameters."""

from datetime import timedelta

import answers_own
import answers_rivals
from data import PLATFORMS
from days import DAY, add_months, month_of

METRICS = ["mau", "mau", "dau", "messages", "signups", "registered_users", "mau_stated", "mau_28d", "messages_sent", "net_adds"]
STATED = ["mau", "mau", "mau", "dau", "messages", "signups", "registered_users", "mau_stated", "headcount"]
TAKES = {
    "daily_usage": ("platform", "metric", "from?", "to?", "month?"), "daily_net_adds": ("month", "platform"),
    "growth_monthly": ("platform", "metric*", "month?"), "totals": ("platform", "metric", "month?"), "headline": ("month", "platform"),
    "holdings": (), "metric_uses": ("name",), "coverage": ("platform", "metric*", "from?", "to?", "month?"),
    "sanity": ("platform*", "month?"), "data_quality": ("month", "platform"),
    "growth": ("platform?", "stated", "month?"), "market_share": ("month", "platforms", "stated", "max_age_days"),
    "mau_compared": ("platforms", "stated", "from?", "to?", "month?"), "mau_compared_log": ("platforms", "stated", "from?", "to?", "month?"),
    "gap_to_rivals": ("month", "platform", "platforms", "stated", "max_age_days"), "milestones": ("platforms", "stated", "month?", "platform?"),
    "doubling_time": ("month", "platforms", "stated", "max_age_days"), "indexed_growth": ("month", "base?", "platforms", "stated"),
    "indexed_by_age": ("month?", "since", "platforms", "stated"), "monthly_usage": ("month", "platforms"),
    "messages_and_signups": ("month", "platform"), "messages_per_user": ("month", "platforms", "platform?"),
    "users_per_person": ("month", "platforms", "platform?"), "implied_churn": ("month", "platform"),
    "own_statements": ("platform", "stated", "month?"), "recalled": ("month", "platform"), "sources": ("month?", "platforms"),
    "left_out": ("month", "platform"),
}
SHIPPED_FROM = {"mau_compared": "2013-01-01", "mau_compared_log": "2013-01-01"}


def ask(random, query, span):
    """Parameters of a question, as Python values."""
    given = {}
    for wanted in TAKES[query]:
        name, value = parameter(random, wanted, span)
        if not wanted.endswith("?") or random.random() < 0.5:
            given[name] = value
    if query in SHIPPED_FROM and "from" not in given:
        given["from"] = None if random.random() < 0.3 else month_of(span[0])
    return given


def parameter(random, wanted, span):
    name = wanted.rstrip("?*")
    start, end = span
    day = start + random.randrange((end - start).days + 40) * DAY
    if name == "month":
        return name, month_of(day)
    if name in ("from", "to", "base"):
        return name, day - random.choice([0, 0, 300]) * DAY if name == "base" else day
    if name == "platform":
        return name, "all" if wanted.endswith("*") and random.random() < 0.5 else random.choice(("Own", "Own") + PLATFORMS)
    if name == "platforms":
        return name, random.choice([[], [], [random.choice(PLATFORMS)], random.sample(PLATFORMS, 3)])
    if name == "metric":
        return name, "all" if wanted.endswith("*") and random.random() < 0.6 else random.choice(METRICS)
    if name == "stated":
        return "metric", random.choice(STATED)
    if name == "name":
        return "metric", random.choice(["mau_stated", "dau", "messages_sent", "net_adds", "registered_users", "signups"])
    if name == "since":
        return name, random.choice(["launch", "ten_million"])
    return name, random.choice([1096, 1096, 400, 60])


def expected(store, query, given):
    name = "mau_compared" if query == "mau_compared_log" else query
    answer = getattr(answers_own, name, None) or getattr(answers_rivals, name)
    return answer(store, **{k: v for k, v in given.items() if v is not None})
