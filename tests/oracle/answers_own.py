"""Answers about a platform's own figures: each returns its rows in order."""

from collections import defaultdict
from datetime import date

from days import DAY, add_months, month_end, month_of
from rounding import Rounded, nulls_last, ratio
from statements import day_words, spaced

FIRST, LAST = date(1, 1, 1), date(9999, 12, 30)


def one_of(metric, row):
    return metric in (row["measure"], row["metric"])


def sevens(rows, value):
    """The mean of 7 days, where all are known and over."""
    whole = {r["day"]: r["value"] for r in rows if r["value"] is not None and r["flag"] != "unfinished"}
    for r in rows:
        week = [whole.get(r["day"] - n * DAY) for n in range(7)]
        r[value] = None if None in week else Rounded(sum(week) / 7, 2)


def mark_of(flag):
    return "unfinished" if flag == "unfinished" else "artefact" if flag else "computed"


def daily_usage(store, platform, metric="messages", **p):
    series = defaultdict(list)
    for r in store.platform_days.values():
        if r["platform"] == platform and one_of(metric, r):
            series[r["metric"]].append(dict(r))
    rows = []
    for of_metric in series.values():
        sevens(of_metric, "mean_7d")
        rows += of_metric
    start, end = span(p)
    for r in rows:
        r["mark"] = "interpolated" if (r["carried"] or 0) > 0 else mark_of(r["flag"])
    return sorted((r for r in rows if start <= r["day"] <= end), key=lambda r: (r["metric"], r["day"]))


def span(p):
    """From and to; without a from the month and the two before it, and never after the month."""
    month = p.get("month")
    start = p.get("from") or (add_months(month, -2) if month else FIRST)
    end = min(p.get("to") or LAST, month_end(month) if month else LAST)
    return start, end


def daily_net_adds(store, month, platform):
    rows = [dict(r) for r in store.platform_days.values() if r["platform"] == platform and r["metric"] == "net_adds"]
    sevens(rows, "mean_7d")
    rows = [r | {"net_adds": r["value"], "mark": mark_of(r["flag"])} for r in rows]
    return sorted((r for r in rows if add_months(month, -2) <= r["day"] <= month_end(month)), key=lambda r: r["day"])


def per_day(o):
    return Rounded(o["per_day"][0] / o["per_day"][1], 2) if o["per_day"] else None


def growth_monthly(store, platform, metric="all", month=None):
    rows = []
    for o in store.growth:
        if o["platform"] != platform or metric != "all" and not one_of(metric, o):
            continue
        if month and not add_months(month, -12) <= o["month"] <= month:
            continue
        mark = "computed" if o["finished"] and not o["jumped"] else "artefact" if o["left_out"] > 0 else "unfinished"
        rows.append(o | {"per_day": per_day(o), "mom": Rounded.of(o["mom"], 6), "yoy": Rounded.of(o["yoy"], 6), "mark": mark})
    return sorted(rows, key=lambda r: (r["metric"], r["month"]))


def totals(store, platform, metric="registered_users", month=None):
    jumps = {(c["metric"], month_of(c["day"])) for c in store.changes if c["platform"] == platform and c["flag"] == "jump"}
    rows = []
    for o in store.months.values():
        if o["platform"] == platform and one_of(metric, o) and (month is None or o["month"] <= month):
            mark = "artefact" if (o["metric"], o["month"]) in jumps else "computed" if o["finished"] else "unfinished"
            rows.append(o | {"per_day": per_day(o), "mark": mark})
    return sorted(rows, key=lambda r: (r["metric"], r["month"]))


ORDER = {m: i for i, m in enumerate(("mau", "wau", "dau", "messages", "signups", "net_adds", "registered_users"))}


def headline(store, month, platform):
    end = month_end(month)
    rows = [from_days(store, o, end) for o in store.growth if o["platform"] == platform and o["month"] == month]
    rows = [r for r in rows if r["value"] is not None]
    counted = {r["measure"] for r in rows}
    series = defaultdict(list)
    for s in store.statements:
        if s["computes"] and s["platform"] == platform and s["as_of"] <= end and s["measure"] not in counted:
            series[s["metric"], s["unit"]].append(s)
    rows += [from_statements(store, sorted(s, key=lambda s: s["as_of"]), end) for s in series.values()]
    return sorted(rows, key=lambda r: (ORDER.get(r["measure"], 7), r["metric"], -r["as_of"].toordinal(), r["unit"]))


def from_days(store, o, end):
    day = store.platform_days.get((o["platform"], o["metric"], o["kind"], o["compared_as_of"]), {})
    known = day.get("known_servers")
    return o | {
        "title": store.metrics[o["metric"]]["title"], "value": o["compared_value"], "as_of": o["compared_as_of"],
        "age_days": (end - o["compared_as_of"]).days, "growth": Rounded.of(o["mom"], 6), "cmgr": None,
        "year_growth": Rounded.of(o["yoy"], 6), "known_servers": known, "servers": day["servers"] if known is not None else None,
    }


def from_statements(store, series, end):
    s, before = series[-1], series[-2] if len(series) > 1 else None
    row = s | {"title": store.metrics[s["metric"]]["title"], "age_days": (end - s["as_of"]).days, "basis": "statement",
               "finished": True, "days": None, "year_before_value": None, "year_growth": None, "servers": None,
               "known_servers": None, "previous_value": None, "previous_as_of": None, "change": None, "growth": None, "cmgr": None}
    if before:
        days = (s["as_of"] - before["as_of"]).days
        row.update(previous_value=before["value"], previous_as_of=before["as_of"], change=s["value"] - before["value"],
                   growth=ratio(s["value"], before["value"], 6, -1), cmgr=rate(s["value"], before["value"], days, 146097 / 4800))
    return row


def rate(value, before, days, period):
    if not before:
        return None
    return Rounded((value / before) ** (period / days) - 1, 6)


def holdings(store):
    groups = defaultdict(list)
    for d in store.disclosures:
        groups[d["platform"], "statements", d["metric"]].append(d["as_of"])
    for u in store.usage:
        groups[u["platform"], "usage", u["metric"]].append(u["day"])
    rows = []
    for (platform, origin, metric), days in sorted(groups.items()):
        gaps = (max(days) - min(days)).days + 1 - len(set(days)) if origin == "usage" else None
        rows.append({"platform": platform, "metric": metric, "origin": origin, "figures": len(days),
                     "first_day": min(days), "last_day": max(days), "gaps": gaps})
    return rows


def metric_uses(store, metric):
    groups = defaultdict(list)
    for s in store.statements:
        if s["metric"] == metric:
            groups[s["platform"], "statement"].append(s["as_of"])
    for d in store.daily:
        if d["metric"] == metric:
            groups[d["platform"], "usage"].append(d["day"])
    return [{"platform": k[0], "origin": k[1], "figures": len(v), "first_day": min(v), "last_day": max(v)}
            for k, v in sorted(groups.items())]


def coverage(store, platform, metric="all", **p):
    month = p.get("month")
    start = p.get("from") or (add_months(month, -2) if month else FIRST)
    end = p.get("to") or (month_end(month) if month else LAST)
    rows = []
    for (whose, what, day), n in sorted(store.network_days.items()):
        if whose == platform and metric in ("all", what) and start <= day <= end:
            rows.append(n | {"metric": what, "day": day, "share": Rounded(n["reported"] / n["known"], 4)})
    return rows


def sanity(store, platform="all", month=None):
    rows = [i | {"verdict": "impossible", "days": 1} for i in store.impossible]
    rows += [u | {"verdict": "unlikely"} for u in store.unlikely]
    rows = [r for r in rows if platform in ("all", r["platform"]) and (month is None or r["day"] <= month_end(month))]
    for r in rows:
        r["change_rate"] = ratio(r["value"], r["against"], 4, -1)
    return sorted(rows, key=lambda r: (r["verdict"], r["rule"], r["platform"], r["server"], r["metric"], r["day"]))


WHAT = {"registered_users": "registered users", "messages_sent": "messages"}


def explanation(c, flag):
    what, on = WHAT.get(c["metric"], c["metric"]), day_words(c["day"])
    change = c["value"] - c["previous_value"] if c["previous_day"] else None
    if flag == "unfinished":
        return f"{on} is not over: the last reading of {what} is from before 22:00."
    if flag == "fell":
        return (f"The count of {what} fell by {spaced(-change)} on {on}. A count since the beginning falls when servers drop out "
                "or a count is corrected; the day is left out.")
    if flag == "gap":
        return (f"No reading of {what} between {day_words(c['previous_day'])} and {on}: the change over "
                f"{spaced((c['day'] - c['previous_day']).days)} days belongs to no single day.")
    times = "with no growth in the week before and the week after"
    if c["largest_around"]:
        times = spaced(int(change / c["largest_around"] + 0.5)) + " times as much as on any other day of the week before and the week after"
    steps = f", {int(100 * c['largest_step'] / change + 0.5)} % of it between two readings" if c["readings"] > 1 else ""
    return f"The count of {what} rose by {spaced(change)} on {on}, {times}{steps}: a change in what was counted, not growth. The day is left out."


def quality_row(place, topic, platform, metric, day, value, detail):
    return {"place": place, "topic": topic, "platform": platform, "metric": metric, "day": day, "value": value, "detail": detail}


def data_quality(store, month, platform):
    end = month_end(month)
    rows = [flagged(c) for c in store.changes if c["platform"] == platform and c["day"] <= end
            and (c["flag"] or c["unfinished"] and (c["kind"] == "counter" or c["metric"] == "registered_users"))]
    rows += missing(store, platform, end) + said(store, platform, end)
    rows.sort(key=lambda r: (r["place"], -r["day"].toordinal() if r["day"] else 0, r["platform"], r["metric"], r["topic"],
                             nulls_last(r["value"]), r["detail"]))
    return [r | {"number": i + 1} for i, r in enumerate(rows)]


def flagged(c):
    flag = c["flag"] or "unfinished"
    metric = "net_adds" if c["metric"] == "registered_users" else c["metric"]
    whose = ", ".join(w for w in (c["server"], c["dimension_value"]) if w)
    change = c["value"] - c["previous_value"] if c["previous_day"] else None
    return quality_row(1, flag, c["platform"], metric, c["day"], change, (whose + ": " if whose else "") + explanation(c, flag))


def missing(store, platform, end):
    seen = defaultdict(set)
    for r in store.platform_days.values():
        if r["platform"] == platform and r["day"] <= end and r["metric"] != "net_adds":
            seen[r["metric"]].add(r["day"])
    rows = []
    for metric, days in seen.items():
        all_days = (max(days) - min(days)).days + 1
        if all_days > len(days):
            detail = (f"{spaced(all_days - len(days))} of {spaced(all_days)} days between {day_words(min(days))} and "
                      f"{day_words(max(days))} have no figure")
            rows.append(quality_row(2, "missing days", platform, metric, None, all_days - len(days), detail))
    return rows


def said(store, platform, end):
    rows, series = [], defaultdict(list)
    for s in store.statements:
        if s["as_of"] > end:
            continue
        mine = (s["platform"], s["metric"], s["as_of"], s["value"])
        if s["computes"]:
            series[s["platform"], s["metric"], s["unit"]].append(s)
        elif s["platform"] == platform:
            several = f" ({s['sources']} sources)" if s["sources"] > 1 else ""
            rows.append(quality_row(3, "dispute", *mine, s["resolution"] + several))
        if s["platform"] == platform and not s["source_url"] and not s["source_title"]:
            after = "it computes all the same" if s["computes"] else "shown only"
            rows.append(quality_row(4, "no source", *mine, f"{spaced(s['value'])} {s['unit']}: no source is given; {after}"))
    for of_series in series.values():
        rows += leaps_and_old(sorted(of_series, key=lambda s: s["as_of"]), end)
    return rows


def leaps_and_old(series, end):
    rows = []
    for b, s in zip(series, series[1:]):
        much, little = s["value"] > 3 * b["value"], 2 * s["value"] < b["value"]
        if (s["as_of"] - b["as_of"]).days <= 366 and (much or little):
            words = "more than three times" if much else "less than half"
            detail = f"{spaced(s['value'])} {s['unit']} after {spaced(b['value'])} of {day_words(b['as_of'])}: {words}"
            rows.append(quality_row(5, "leap", s["platform"], s["metric"], s["as_of"], s["value"], detail))
    last = series[-1]
    age = (end - last["as_of"]).days
    if age > 365:
        rows.append(quality_row(6, "old figure", last["platform"], last["metric"], last["as_of"], last["value"],
                                f"the last figure in {last['unit']} is {spaced(age)} days old"))
    return rows


def view_days(store):
    return [store.platform_days[k] for k in sorted(store.platform_days)]


def view_growth(store):
    rows = [o | {"per_day": per_day(o), "mom": Rounded.of(o["mom"], 6), "yoy": Rounded.of(o["yoy"], 6),
                 "jumped": o["jumped"] if o["knows_jumps"] else None} for o in store.growth]
    return sorted(rows, key=lambda r: (r["platform"], r["metric"], r["kind"], r["month"]))


def view_flags(store):
    rows = [flagged(c) | {"server": c["server"], "flag": c["flag"] or "unfinished", "change": c["value"] - c["previous_value"]
                          if c["previous_day"] else None, "detail": explanation(c, c["flag"] or "unfinished")}
            for c in store.changes if c["dimension"] == ""
            and (c["flag"] or c["unfinished"] and (c["kind"] == "counter" or c["metric"] == "registered_users"))]
    return sorted(rows, key=lambda r: (r["platform"], r["server"], r["metric"], r["day"]))
