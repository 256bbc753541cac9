"""Which public statements compute, from queries/views/README.md."""

from collections import defaultdict

from days import add_months

PERIOD = {"day": 1, "month": 2, "quarter": 3, "year": 4}
FIRM = {"exact": 1, "about": 2, "at_least": 3, "at_most": 4}
STANDING = {"stated": 1, "derived": 2}
WHY = {
    "disputed": "disputed", "compiled": "compiled by others", "estimate": "a third party's estimate",
    "record": "a record day or another way of counting", "regional": "counts a part of the users", "spike": "a one-off spike",
}
THIN = "\u202f"


def day_words(day):
    return f"{day.day} {day:%B %Y}"


def spaced(number):
    """989838 as a reader sees it."""
    return f"{number:,}".replace(",", THIN)


def short(value):
    """Three digits at least of a large number."""
    scale, name = next(((s, n) for s, n in ((10**9, "bn"), (10**6, "M"), (10**3, "k")) if abs(value) >= s), (1, ""))
    figure = value / scale
    text = f"{round_half_up(figure, 1 if figure >= 100 else 2):.2f}".rstrip("0").rstrip(".")
    return text + (THIN + name if name else "")


def round_half_up(value, digits):
    scaled = value * 10**digits
    whole = int(scaled)
    return (whole + (1 if scaled - whole >= 0.5 else 0)) / 10**digits


def statements(disclosures, disputes, metrics):
    merged = merge(disclosures)
    series = defaultdict(list)
    for s in merged:
        s["measure"] = metrics[s["metric"]]["measure"]
        s["by_hand"] = by_hand(s, disputes)
        s["eligible"] = s["status"] in STANDING if s["by_hand"] is None else s["by_hand"]
        series[s["platform"], s["metric"], s["unit"]].append(s)
    for of_series in series.values():
        judge(of_series)
    return merged


def by_hand(s, disputes):
    given = [d["computes"] for d in disputes
             if (d["platform"], d["metric"], d["as_of"], d["value"]) == (s["platform"], s["metric"], s["as_of"], s["value"])]
    return all(given) if given else None


def merge(disclosures):
    same = defaultdict(list)
    for d in disclosures:
        same[tuple(d[k] for k in ("platform", "metric", "unit", "value", "as_of", "precision"))].append(d)
    merged = []
    for rows in same.values():
        # The first by publication is named; one without a date after those with one, one without a source last.
        named = min(rows, key=lambda d: (not d["source_url"] and not d["source_title"], d["published"] or "9999",
                                         d["source_url"], d["source_title"], d["definition"]))
        best = min(rows, key=lambda d: (STANDING.get(d["status"], 3), FIRM[d["qualifier"]], d["published"] or "9999",
                                        d["source_url"], d["source_title"], d["definition"]))
        urls = sorted({d["source_url"] for d in rows} - {named["source_url"], ""})
        told = {d["source_url"] for d in rows if d["source_url"] or d["source_title"]}
        merged.append(named | {k: best[k] for k in ("status", "qualifier", "definition")}
                      | {"more_urls": " ".join(urls), "sources": len(told)})
    return merged


def judge(series):
    days = defaultdict(list)
    for s in series:
        s["computes"], s["repeats"] = False, None
        if s["eligible"]:
            days[s["as_of"]].append(s)
    best = [min(of_day, key=rank) for of_day in days.values()]
    for s in best:
        s["repeats"] = repeated(s, best)
        s["computes"] = s["repeats"] is None
    for s in series:
        s["resolution"] = resolution(s, series)


def rank(s):
    return (0 if s["by_hand"] else 1, PERIOD[s["precision"]], FIRM[s["qualifier"]], s["published"] or "9999",
            -s["value"], s["source_url"], s["precision"])


def loose(s):
    return s["qualifier"] == "about" and s["precision"] != "quarter" and s["by_hand"] is None


def repeated(s, best):
    """The last statement that an `about` repeats: within 5 % of a firmer one, or the value of another about."""
    if not loose(s):
        return None
    earlier = [e for e in best if add_months(s["as_of"], -12) <= e["as_of"] < s["as_of"] and (
        e["value"] == s["value"] or not loose(e) and abs(s["value"] - e["value"]) <= 0.05 * e["value"])]
    return max(earlier, key=lambda e: e["as_of"], default=None)


def resolution(s, series):
    beside = max((e for e in series if e["computes"] and e["as_of"] <= s["as_of"]), key=lambda e: e["as_of"], default=None)
    instead = s["repeats"] or beside
    words = f"{short(instead['value'])} of {day_words(instead['as_of'])}" if instead else ""
    if s["by_hand"] is True and s["computes"]:
        text = "settled by hand: it computes"
    elif s["by_hand"] is False:
        text = "settled by hand: shown only"
    elif s["computes"]:
        text = "computes: arithmetic on stated figures" if s["status"] == "derived" else "computes: stated by the platform"
    elif s["repeats"]:
        text = f"shown only: repeats the {words}"
    elif s["eligible"]:
        text = f"shown only: the {words} is the better statement for that day"
    else:
        text = "shown only: " + WHY[s["status"]] + (f"; the {words} computes" if instead else "")
    return text + ("" if s["source_url"] or s["source_title"] else "; no source is given")
