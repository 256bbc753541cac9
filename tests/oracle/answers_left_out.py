"""Answers from public statements alone, and what follows from them: each returns its rows in order."""

import math
from collections import defaultdict

from answers_own import one_of
from answers_rivals import MONTH, ROUND, among, apart, computing, end_of
from days import DAY, month_end
from rounding import Rounded, ratio
from statements import day_words, spaced


def trapezoid(b, s, signups):
    """Twice the signups between two statements of users, with the ends and how many points; None without any near."""
    if not signups:
        return None
    start = min(signups, key=lambda d: (apart(d, b), d["as_of"], -d["value"]))
    end = min(signups, key=lambda d: (apart(d, s), -d["as_of"].toordinal(), -d["value"]))
    if apart(start, b) > 366 or apart(end, s) > 366:
        return None
    inside = sorted((d["as_of"], d["value"]) for d in signups if b["as_of"] < d["as_of"] < s["as_of"])
    points = [(b["as_of"], start["value"]), *inside, (s["as_of"], end["value"])]
    area = sum((v + w) * (e - d).days for (d, v), (e, w) in zip(points, points[1:]))
    return area, start, end, len(points)


def implied_churn(store, month, platform):
    counted = ("users", "user accounts", "accounts", "users/day")
    signups = [s for of in computing(store, "signups", month, [platform]).values() for s in of if s["unit"] in counted]
    rows = []
    for (_, _, unit), series in computing(store, "mau", month, [platform]).items():
        for b, s in zip(series, series[1:]):
            area = trapezoid(b, s, signups)
            if unit in counted and area:
                rows.append(churn_row(b, s, unit, *area))
    return sorted(rows, key=lambda r: (-r["to_as_of"].toordinal(), -r["from_as_of"].toordinal(), r["unit"]))


def churn_row(b, s, unit, area, start, end, points):
    net = s["value"] - b["value"]
    method = f"trapezoid of {points} points"
    if start["as_of"] != b["as_of"]:
        method += f"; at the start the statement of {day_words(start['as_of'])}"
    if end["as_of"] != s["as_of"]:
        method += f"; at the end the statement of {day_words(end['as_of'])}"
    return {"from_as_of": b["as_of"], "from_value": b["value"], "to_as_of": s["as_of"], "to_value": s["value"], "unit": unit,
            "days": apart(b, s), "net_adds": net, "points": points, "from_signups": start["value"], "from_signups_as_of": start["as_of"],
            "to_signups": end["value"], "to_signups_as_of": end["as_of"], "signups": (area + 1) // 2,
            "churn": Rounded(1 - net / (area / 2), 6) if area else None, "method": method}


def own_statements(store, platform, metric="mau", month=None):
    rows = []
    for s in store.statements:
        if s["platform"] == platform and one_of(metric, s) and s["as_of"] <= end_of(month):
            repeated = s["status"] in ("stated", "derived")
            rows.append(s | {"series": platform if s["computes"] else "not computed with", "mark": "statement" if s["computes"] else "shown",
                             "note": None if s["computes"] else "repeated" if repeated else s["status"]})
    return sorted(rows, key=lambda s: (not s["computes"], s["as_of"], s["metric"], s["unit"], s["value"]))


def recalled(store, month, platform):
    rows = []
    for s in store.statements:
        if s["platform"] != platform or s["computes"] or not s["published"].startswith(f"{month:%Y-%m}") or s["as_of"] >= month:
            continue
        beside = [c for c in store.statements if c["computes"] and c["platform"] == platform and c["metric"] == s["metric"]
                  and c["unit"] == s["unit"] and c["as_of"] <= month_end(month)]
        c = min(beside, key=lambda c: (c["as_of"] > s["as_of"], apart(c, s)), default=None)
        if s["status"] == "disputed" or c is None or c["value"] != s["value"]:
            rows.append(s | {"computing_value": c and c["value"], "computing_as_of": c and c["as_of"],
                             "difference": ratio(s["value"], c["value"], 6, -1) if c else None})
    return sorted(rows, key=lambda s: (-s["sources"], -s["as_of"].toordinal(), s["metric"], s["unit"], s["value"], s["precision"]))


def sources(store, month=None, platforms=()):
    rows = [s for s in store.statements if s["as_of"] <= end_of(month) and among(platforms, s)]
    return sorted(rows, key=lambda s: (s["platform"], s["metric"], s["unit"], s["as_of"], s["precision"], s["value"]))


def left_out(store, month, platform):
    series = defaultdict(list)
    for k in store.known:
        if k["platform"] == platform and k["as_of"] <= month_end(month) and k["value"] > 0 and (
                k["comparable"] or k["measure"] in ("headcount", "monthly_cost")):
            series[k["measure"], k["metric"], k["unit"]].append(k)
    last = {}
    for key in sorted(series):
        series[key].sort(key=lambda k: k["as_of"])
        if key[0] not in last or series[key][-1]["as_of"] > last[key[0]][-1]["as_of"]:
            last[key[0]] = series[key]
    if "mau" not in last:
        return []
    signups = [k for key, of in series.items() if key[0] == "signups" for k in of]
    return left_out_rows({m: s[-1] for m, s in last.items()}, last["mau"][-2] if len(last["mau"]) > 1 else None, signups)


def left_out_rows(last, before, signups):
    mau = last["mau"]
    words = {m: f"{spaced(k['value'])} ({day_words(k['as_of'])})" for m, k in last.items()}
    near = {m: k for m, k in last.items() if apart(k, mau) <= 366}
    users, rows = mau["value"], []

    def row(name, value, unit, formula, day=None):
        rows.append({"name": name, "value": value, "unit": unit, "day": day, "formula": formula})

    if "messages" in near:
        row("messages a day for each monthly user", ratio(near["messages"]["value"], users, 2), "messages a day",
            f"{words['messages']} messages a day / {words['mau']} monthly users")
    if "signups" in near:
        row("signups a day as a share of monthly users", ratio(100 * near["signups"]["value"], users, 4), "% of monthly users",
            f"{words['signups']} signups a day / {words['mau']} monthly users")
    area = before and trapezoid(before, mau, signups)
    if area:
        net = users - before["value"]
        row("implied churn", Rounded(100 * (1 - net / (area[0] / 2)), 4), "% of signups",
            f"1 − {'−' if net < 0 else ''}{spaced(abs(net))} net adds / {spaced((area[0] + 1) // 2)} signups, "
            f"{day_words(before['as_of'])} to {day_words(mau['as_of'])}")
    if "monthly_cost" in near:
        cost = near["monthly_cost"]
        row("running cost for each monthly user a year", ratio(12 * cost["value"], users, 4), cost["unit"].replace("/month", ""),
            f"12 x {words['monthly_cost']} {cost['unit']} / {words['mau']} monthly users")
    if "headcount" in near:
        people = near["headcount"]
        row("monthly users for each person employed", ratio(users, people["value"], 1), f"users / {people['unit']}",
            f"{words['mau']} monthly users / {words['headcount']} {people['unit']}")
    if before and users > before["value"]:
        goal = next(n for n in ROUND if n > users)
        span = apart(before, mau)
        days = span * math.log(goal / users) / math.log(users / before["value"])
        a_month = 100 * ((users / before["value"]) ** (MONTH / span) - 1)
        row("months to the next round number of monthly users", Rounded(days / MONTH, 1), f"months to {spaced(goal)}",
            f"ln({spaced(goal)} / {words['mau']}) / ln(1 + {shown_rate(a_month)} % a month)",
            mau["as_of"] + int(days + 0.5) * DAY if days < 36525 else None)
    return rows


def shown_rate(value):
    text = f"{int(value * 100 + 0.5) / 100:.2f}".rstrip("0")
    return text + "0" if text.endswith(".") else text
