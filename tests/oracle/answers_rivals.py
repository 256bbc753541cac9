"""Answers that compare platforms: each returns its rows in order."""

import math
from collections import defaultdict
from datetime import date

from answers_own import one_of, rate
from days import DAY, add_months, month_end
from months import COMPARABLE
from rounding import Rounded, nulls_last, ratio
from statements import THIN, spaced

MONTH, YEAR = 146097 / 4800, 146097 / 400


def end_of(month):
    return month_end(month) if month else date(9999, 12, 31)


def among(platforms, row):
    return not platforms or row["platform"] in platforms


def series_of(rows):
    series = defaultdict(list)
    for r in rows:
        series[r["platform"], r["metric"], r["unit"]].append(r)
    return {k: sorted(v, key=lambda r: r["as_of"]) for k, v in sorted(series.items())}


def computing(store, metric, month=None, platforms=()):
    return series_of(s for s in store.statements if s["computes"] and one_of(metric, s) and s["as_of"] <= end_of(month)
                     and among(platforms, s))


def comparing(store, metric, month=None, platforms=()):
    return [k for k in store.known if k["comparable"] and one_of(metric, k) and k["as_of"] <= end_of(month) and among(platforms, k)]


def mark_of(k):
    return "statement" if k["origin"] == "statement" else "computed" if k["finished"] else "unfinished"


def newest(rows):
    """Of each platform the last figure; its own counts before statements, then by name, the largest first."""
    last = {}
    for k in sorted(rows, key=lambda k: (-k["as_of"].toordinal(), k["origin"] == "statement", k["metric"], -k["value"], k["unit"])):
        last.setdefault(k["platform"], k)
    return list(last.values())


def growth(store, platform=None, metric="mau", month=None):
    rows = []
    for (whose, what, unit), series in computing(store, metric, month).items():
        if platform not in (None, whose):
            continue
        for b, s in zip(series, series[1:]):
            days = (s["as_of"] - b["as_of"]).days
            rows.append({
                "platform": whose, "metric": what, "unit": unit, "from_as_of": b["as_of"], "from_value": b["value"],
                "to_as_of": s["as_of"], "to_value": s["value"], "qualifier": s["qualifier"], "days": days,
                "change": s["value"] - b["value"], "growth": ratio(s["value"], b["value"], 6, -1),
                "cmgr": rate(s["value"], b["value"], days, MONTH), "cagr": rate(s["value"], b["value"], days, YEAR),
                "doubling_months": doubling(s["value"], b["value"], days), "mark": "computed"})
    return rows


def doubling(value, before, days):
    if before <= 0 or value <= before:
        return None
    return Rounded(math.log(2) / math.log(value / before) * days / MONTH, 2)


def market_share(store, month, platforms=(), metric="mau", max_age_days=1096):
    end = month_end(month)
    last = newest(k for k in comparing(store, metric, month, platforms) if (end - k["as_of"]).days <= max_age_days)
    whole = sum(k["value"] for k in last)
    rows = [k | {"rank": 1 + sum(1 for o in last if o["value"] > k["value"]), "age_days": (end - k["as_of"]).days,
                 "share": ratio(k["value"], whole, 6)} for k in last]
    return sorted(rows, key=lambda r: (r["rank"], r["platform"]))


def mau_compared(store, platforms=(), metric="mau", month=None, **p):
    start, end = p.get("from") or date(1, 1, 1), p.get("to") or date(9999, 12, 31)
    rows = [k | {"mark": mark_of(k)} for k in comparing(store, metric, month, platforms) if start <= k["as_of"] <= end]
    return sorted(rows, key=lambda r: (r["platform"], r["metric"], r["unit"], r["as_of"]))


def gap_to_rivals(store, month, platform, platforms=(), metric="mau", max_age_days=1096):
    end = month_end(month)
    last = newest(k for k in comparing(store, metric, month) if (end - k["as_of"]).days <= max_age_days)
    own = next((k for k in last if k["platform"] == platform), None)
    if own is None:
        return []
    rows = []
    for k in last:
        if k is not own and among(platforms, k):
            rows.append({"rival": k["platform"], "gap": k["value"] - own["value"], "ratio": ratio(k["value"], own["value"], 2),
                         "age_days": (end - k["as_of"]).days, "own_age_days": (end - own["as_of"]).days,
                         **{c: k[c] for c in ("value", "unit", "qualifier", "as_of")},
                         **{"own_" + c: own[c] for c in ("value", "unit", "qualifier", "as_of")}})
    return sorted(rows, key=lambda r: (-r["value"], r["rival"]))


ROUND = [d * 10**e for e in range(16) for d in (1, 2, 5)]


def milestones(store, platforms=(), metric="mau", month=None, platform=None):
    rows = []
    for (whose, what, unit), series in computing(store, metric, month, platforms).items():
        if platform not in (None, whose):
            continue
        highest, day = None, None
        for s in series:
            if s["qualifier"] == "at_most":
                continue
            reached = [n for n in ROUND if (highest or 0) < n <= s["value"]]
            for n in reached[-1:] if highest is None else reached:
                rows.append({"platform": whose, "metric": what, "unit": unit, "milestone": n, "as_of": s["as_of"], "value": s["value"],
                             "qualifier": s["qualifier"], "by_then": highest is None, "mark": "statement",
                             "days_since": (s["as_of"] - day).days if day else None, "note": f"first of {round_words(n)} or more"})
                day = s["as_of"]
            highest = s["value"] if highest is None else max(highest, s["value"])
    return rows


def round_words(n):
    for scale, name in ((10**9, "bn"), (10**6, "M"), (10**3, "k")):
        if n >= scale:
            return f"{n // scale}{THIN}{name}"
    return str(n)


def doubling_time(store, month, platforms=(), metric="mau", max_age_days=1096):
    rows = []
    for (whose, what, unit), series in computing(store, metric, month, platforms).items():
        s = series[-1]
        age = (month_end(month) - s["as_of"]).days
        if unit not in COMPARABLE or len(series) < 2 or age > max_age_days:
            continue
        row = {"platform": whose, "metric": what, "unit": unit, "value": s["value"], "as_of": s["as_of"], "age_days": age}
        long_ago = [e for e in series if (s["as_of"] - e["as_of"]).days >= 365]
        for name, e in (("pair", series[-2]), ("year", long_ago[-1] if long_ago else None)):
            row.update(doubled(name, s, e))
        rows.append(row)
    return sorted(rows, key=lambda r: (nulls_last(r["year_doubling_months"] and round(r["year_doubling_months"].value, 2)),
                                       r["platform"], r["metric"], r["unit"]))


def doubled(name, s, e):
    if e is None:
        return dict.fromkeys((f"{name}_from_value", f"{name}_from_as_of", f"{name}_cmgr", f"{name}_doubling_months"))
    days = (s["as_of"] - e["as_of"]).days
    return {f"{name}_from_value": e["value"], f"{name}_from_as_of": e["as_of"],
            f"{name}_cmgr": rate(s["value"], e["value"], days, MONTH) if s["value"] else None,
            f"{name}_doubling_months": doubling(s["value"], e["value"], days)}


def indexed_growth(store, month, base=None, platforms=(), metric="mau"):
    base = base or add_months(month, -11) - DAY
    rows = []
    for (whose, what, unit), series in series_of(k for k in comparing(store, metric, month, platforms) if k["value"] > 0).items():
        before = [k for k in series if k["as_of"] <= base]
        after = [k for k in series if k["as_of"] >= base]
        if not before or not after:
            continue
        b, a = before[-1], after[0]
        value = b["value"]
        shared = {"platform": whose, "metric": what, "unit": unit}
        if b["as_of"] < base:
            part = (base - b["as_of"]).days / (a["as_of"] - b["as_of"]).days
            value = b["value"] * (a["value"] / b["value"]) ** part
        shared["base_value"] = Rounded(value, 2)
        if b["as_of"] < base:
            rows.append(shared | {"as_of": base, "index": 100.0, "value": None, "mark": "interpolated"})
        rows += [shared | {"as_of": k["as_of"], "value": k["value"], "index": Rounded(100 * k["value"] / value, 2), "mark": mark_of(k)}
                 for k in after]
    return rows


def indexed_by_age(store, month=None, since="ten_million", platforms=(), metric="mau"):
    rows = []
    for (whose, what, unit), series in series_of(comparing(store, metric, month, platforms)).items():
        launched = store.options["launched"].get(whose)
        day, start = (launched, "launch") if since == "launch" else passing(series)
        if day is None or series[-1]["as_of"] <= day:
            continue
        for k in series:
            if k["as_of"] >= day:
                rows.append({"platform": whose, "metric": what, "unit": unit, "as_of": k["as_of"], "value": k["value"], "start": start,
                             "start_day": day, "age_years": Rounded((k["as_of"] - day).days / YEAR, 3), "mark": mark_of(k)})
    return rows


def passing(series):
    """The day on which 10 million were passed, and how that is known."""
    i = next((i for i, k in enumerate(series) if k["value"] >= 10**7), None)
    if i is None:
        return None, None
    k, b = series[i], series[i - 1] if i else None
    if k["value"] == 10**7:
        return k["as_of"], "statement"
    if b is None:
        return k["as_of"], "first_known"
    if b["value"] <= 0:
        return k["as_of"], "interpolated"
    days = (k["as_of"] - b["as_of"]).days * math.log(10**7 / b["value"]) / math.log(k["value"] / b["value"])
    return b["as_of"] + int(days + 0.5) * DAY, "interpolated"


def monthly_usage(store, month, platforms=()):
    rows = []
    end = month_end(month)
    for series in series_of(k for k in store.known if k["as_of"] <= end and among(platforms, k)).values():
        k = max(series, key=lambda k: (k["as_of"], k["origin"] == "usage"))
        rows.append(k | {"age_days": (end - k["as_of"]).days, "definition": k["definition"] or store.metrics[k["metric"]]["definition"]})
    return sorted(rows, key=lambda r: (r["platform"], r["measure"], r["metric"], r["unit"]))


def messages_and_signups(store, month, platform):
    rows = [s | {"mark": "statement"} for s in store.statements if s["platform"] == platform and s["computes"]
            and s["measure"] in ("messages", "signups") and s["as_of"] <= month_end(month)]
    return sorted(rows, key=lambda s: (s["metric"], s["unit"], s["as_of"]))


def apart(a, b):
    return abs((a["as_of"] - b["as_of"]).days)


def messages_per_user(store, month, platforms=(), platform=None):
    end = month_end(month)
    last = {m: {k["platform"]: k for k in newest(comparing(store, m, month, platforms))} for m in ("messages", "mau", "dau")}
    rows = []
    for whose, m in last["messages"].items():
        users = {c: last[c].get(whose) for c in ("mau", "dau")}
        if not any(users.values()):
            continue
        row = {"platform": whose, "messages_per_day": m["value"], "messages_as_of": m["as_of"], "definition": m["definition"],
               "messages_age_days": (end - m["as_of"]).days, "days_apart": apart(m, users["mau"] or users["dau"])}
        for c, u in users.items():
            row.update({c: u and u["value"], c + "_as_of": u and u["as_of"], c + "_age_days": u and (end - u["as_of"]).days,
                        "per_" + c: ratio(m["value"], u["value"], 2) if u and apart(m, u) <= 366 else None})
        rows.append(row)
    return beside(rows, platform, "per_mau")


def beside(rows, platform, column):
    """The others stand beside the platform that is asked about, not instead of it."""
    if platform is not None and all(r["platform"] != platform for r in rows):
        return []
    digits = 2 if column == "per_mau" else 1
    return sorted(rows, key=lambda r: (nulls_last(r[column] and -round(r[column].value + 1e-9, digits)), r["platform"]))


def users_per_person(store, month, platforms=(), platform=None):
    end, rows = month_end(month), []
    last = {}
    said = [s for s in store.statements if s["computes"] and s["as_of"] <= end and among(platforms, s)]
    for s in sorted(said, key=lambda s: (-s["as_of"].toordinal(), s["unit"], -s["value"])):
        last.setdefault((s["platform"], s["measure"]), s)
    for whose in {k[0] for k in last}:
        mau, people, cost = (last.get((whose, m)) for m in ("mau", "headcount", "monthly_cost"))
        if not mau or not people or people["value"] <= 0 or apart(mau, people) > 731:
            continue
        note = f"{spaced(people['value'])} {people['unit']}, {people['as_of'].year}"
        note += f"; costs {spaced(cost['value'])} {cost['unit']}" if cost else ""
        rows.append({"platform": whose, "users_per_person": ratio(mau["value"], people["value"], 1), "mau": mau["value"],
                     "mau_as_of": mau["as_of"], "people": people["value"], "people_unit": people["unit"], "people_as_of": people["as_of"],
                     "people_age_days": (end - people["as_of"]).days, "monthly_cost": cost and cost["value"],
                     "cost_unit": cost and cost["unit"], "cost_as_of": cost and cost["as_of"], "note": note})
    return beside(rows, platform, "users_per_person")
