"""Which questions are asked of a set, with random parameters."""

import answers_left_out
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
# What the views say of all platforms at once, which the questions ask of one.
VIEWS = {
    "view_days": ("SELECT platform, metric, kind, day, value, flag, servers, known_servers, carried FROM platform_days",
                  "platform TEXT, metric TEXT, kind TEXT, day DATE, value BIGINT, flag TEXT, servers BIGINT, known_servers BIGINT, carried BIGINT",
                  "platform, metric, kind, day"),
    "view_growth": ("SELECT platform, metric, kind, month, value, round(per_day, 2) AS per_day, as_of, days_known, left_out, finished, jumped, basis, "
                    "days, compared_value, compared_as_of, previous_value, previous_as_of, change, mom, mom_days, year_before_value, yoy, yoy_days "
                    "FROM own_growth",
                    "platform TEXT, metric TEXT, kind TEXT, month DATE, value BIGINT, per_day DOUBLE, as_of DATE, days_known BIGINT, left_out BIGINT, "
                    "finished BOOLEAN, jumped BOOLEAN, basis TEXT, days BIGINT, compared_value BIGINT, compared_as_of DATE, previous_value BIGINT, "
                    "previous_as_of DATE, change BIGINT, mom DOUBLE, mom_days BIGINT, year_before_value BIGINT, yoy DOUBLE, yoy_days BIGINT",
                    "platform, metric, kind, month"),
    "view_flags": ("SELECT platform, server, metric, day, flag, change, explanation AS detail FROM flags WHERE dimension = ''",
                   "platform TEXT, server TEXT, metric TEXT, day DATE, flag TEXT, change BIGINT, detail TEXT", "platform, server, metric, day"),
}
TAKES |= dict.fromkeys(VIEWS, ())
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


def text_of(view):
    sql, columns, order = VIEWS[view]
    return f"--- {view}.\n--! columns: {columns}\n--! grain:   {order}\n{sql}\nORDER BY {order}\n"


def expected(store, query, given):
    name = "mau_compared" if query == "mau_compared_log" else query
    answer = next(getattr(m, name) for m in (answers_own, answers_rivals, answers_left_out) if hasattr(m, name))
    return answer(store, **{k: v for k, v in given.items() if v is not None})
