"""Figures of days, worked out from raw rows: what queries/views/README.md says of days, in plain Python."""

from collections import defaultdict
from datetime import date, datetime, timedelta

DAY = timedelta(days=1)
ORIGIN = datetime(1970, 1, 1)


def month_of(day):
    return day.replace(day=1)


def add_months(day, months):
    """The same day of another month, or that month's last day."""
    number = day.year * 12 + day.month - 1 + months
    first = date(number // 12, number % 12 + 1, 1)
    return first + min(day.day - 1, days_in(first) - 1) * DAY


def days_in(month):
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return (following - month.replace(day=1)).days


def month_end(month):
    return month.replace(day=days_in(month))


def live_usage(loads):
    """What counts of several loads, and what they said before: (rows, said before).

    New content of a path replaces the old if it holds all its days, else it adds to it and the newer counts."""
    live, before = [], []
    for load in loads:
        kept = []
        for old in live:
            if old["path"] == load["path"] and covers(load, old):
                before.append((old, running(old, load)))
            else:
                kept.append(old)
        live = kept + [load]
    counts = {}
    for load in live:
        for row in load["rows"]:
            key = key_of(row)
            if key in counts:
                before.append(({"rows": [counts[key][1]]}, running(counts[key][0], load)))
            counts[key] = (load, row)
    return [row for _, row in counts.values()], before


def covers(new, old):
    days = {(r["platform"], r["server"], r["day"]) for r in new["rows"]}
    return all((r["platform"], r["server"], r["day"]) in days for r in old["rows"])


def running(old, new):
    """The last day of a content that a newer one goes beyond: it was not over."""
    last = max(r["day"] for r in old["rows"])
    return last if max(r["day"] for r in new["rows"]) > last else None


def key_of(row):
    return tuple(row[k] for k in ("platform", "server", "day", "at", "metric", "kind", "dimension", "dimension_value"))


def series_of(usage):
    series = defaultdict(list)
    for r in usage:
        if r["kind"] in ("level", "counter"):
            key = (r["platform"], r["server"], r["metric"], r["kind"], r["dimension"], r["dimension_value"])
            moment = r["at"] or datetime(r["day"].year, r["day"].month, r["day"].day)
            series[key].append((moment, r["value"], r["day"], r["at"]))
    return series


def changes(usage):
    """A day of a series of levels or counters, with what is left out of it."""
    result = []
    for key, readings in series_of(usage).items():
        result += changes_of(key, sorted(readings, key=lambda r: r[:2]))
    return result


def changes_of(key, readings):
    days = {}
    for i, (moment, value, day, at) in enumerate(readings):
        d = days.setdefault(day, {"day": day, "readings": 0, "short": None, "long": None, "last": None})
        d["value"] = value
        d["readings"] += 1
        d["last"] = at
        if i:
            hours = (moment - readings[i - 1][0]).total_seconds() / 3600
            kind = "short" if hours <= 6 else "long"
            step = value - readings[i - 1][1]
            d[kind] = step if d[kind] is None else max(d[kind], step)
    row = [days[d] for d in sorted(days)]
    for i, d in enumerate(row):
        b = row[i - 1] if i else None
        d["previous_day"] = b["day"] if b else None
        d["previous_value"] = b["value"] if b else None
        d["change"] = d["value"] - b["value"] if b and d["day"] - b["day"] == DAY else None
        often = d["readings"] >= 2 or (b is not None and b["readings"] >= 2)
        over = d["last"] is None or d["last"].hour >= 22
        d["unfinished"] = i == len(row) - 1 and often and not over
        d["burst"] = bool(b and d["short"] is not None and d["short"] >= 100 and d["short"] >= 0.03 * b["value"])
    by_day = {d["day"]: d for d in row}
    platform, server, metric, kind, dimension, value = key
    for d in row:
        d.update(platform=platform, server=server, metric=metric, kind=kind, dimension=dimension, dimension_value=value)
        around(d, by_day)
        d["flag"] = flag_of(d) if metric == "registered_users" or kind == "counter" else ""
    return row


def around(d, by_day):
    before = [by_day.get(d["day"] - n * DAY) for n in range(1, 8)]
    after = [by_day.get(d["day"] + n * DAY) for n in range(1, 8)]
    ordinary = [n["change"] for n in before + after if n and n["change"] is not None and n["change"] >= 0 and not n["burst"]]
    d["around_known"] = len(ordinary)
    d["largest_around"] = max(ordinary, default=0)
    d["following"] = sum(1 for n in after if n and n["change"] is not None)
    d["largest_step"] = max((s for s in (d["short"], d["long"]) if s is not None), default=None)


def flag_of(d):
    if d["previous_day"] is None:
        return ""
    if d["change"] is None:
        return "gap"
    if d["change"] < 0:
        return "fell"
    return "jump" if is_jump(d) else ""


def is_jump(d):
    change, largest, short = d["change"], d["largest_around"], d["short"]
    if change < 100 or change < 5 * largest or d["around_known"] < 3:
        return False
    if d["kind"] == "counter" and short is not None and short >= 10000 and short >= 5 * largest:
        return True
    if change < 0.03 * d["previous_value"]:
        return False
    if d["burst"] and (short >= 0.8 * change or short >= 5 * largest):
        return True
    seldom = d["long"] is not None and d["long"] >= 0.8 * change
    return seldom and d["following"] >= 3


def daily(usage, made, metrics):
    rows = whole_days(usage)
    for c in made:
        base = {k: c[k] for k in ("platform", "server", "day", "dimension", "dimension_value")}
        if c["kind"] == "level":
            flag = "unfinished" if c["unfinished"] else "" if c["flag"] == "gap" else c["flag"]
            rows.append(base | {"metric": c["metric"], "kind": "level", "value": c["value"], "flag": flag})
        if c["previous_day"] is not None and (c["kind"] == "counter" or c["metric"] == "registered_users"):
            metric = c["metric"] if c["kind"] == "counter" else "net_adds"
            flag = c["flag"] or ("unfinished" if c["unfinished"] else "")
            value = None if c["flag"] else c["change"]
            rows.append(base | {"metric": metric, "kind": "flow", "value": value, "flag": flag})
    for r in rows:
        r["measure"] = metrics[r["metric"]]["measure"]
    return rows


def whole_days(usage):
    rows, moments = [], defaultdict(list)
    for r in usage:
        if r["kind"] in ("level", "counter"):
            continue
        d = {k: r[k] for k in ("platform", "server", "day", "metric", "kind", "dimension", "dimension_value", "value")}
        if r["at"] is None:
            rows.append(d | {"flag": ""})
        else:
            moments[key_of(r | {"at": None})].append((r["at"], r["value"], d))
    for readings in moments.values():
        last = max(readings, key=lambda m: m[:2])
        value = sum(m[1] for m in readings) if last[2]["kind"] == "flow" else last[1]
        rows.append(last[2] | {"value": value, "flag": ""})
    return rows


def impossible(days, confirmed):
    """More active users than accounts, or more in a day or week than in the month around it."""
    seen = [d for d in days if d["dimension"] == "" and d["value"] is not None
            and (d["kind"] == "distinct" or d["metric"] == "registered_users" and d["kind"] == "level")]
    accounts, maus = {}, {}
    for d in seen:
        key = (d["platform"], d["server"], d["day"])
        if d["metric"] == "registered_users":
            accounts[key] = d["value"]
        elif d["measure"] == "mau":
            maus[key] = max(maus.get(key, 0), d["value"])
    found = []
    for d in seen:
        key = (d["platform"], d["server"], d["day"])
        if d["metric"] == "registered_users" or (d["platform"], d["server"], d["metric"], d["day"]) in confirmed:
            continue
        limit = accounts.get(key, accounts.get((d["platform"], d["server"], d["day"] + DAY)))
        if limit is not None and d["value"] > limit:
            found.append(d | {"rule": "more than accounts", "against": limit})
        elif d["measure"] in ("dau", "wau") and key in maus and d["value"] > maus[key]:
            found.append(d | {"rule": "more than the month", "against": maus[key]})
    return found


def network_days(days, bad, networks):
    """Servers that reported a metric on a day, of those known, and those carried forward."""
    told = defaultdict(dict)
    for d in days:
        if (d["platform"] in networks and d["dimension"] == "" and d["server"] and d["value"] is not None
                and where(d) not in bad):
            told[d["platform"], d["metric"], d["server"]][d["day"]] = d["value"]
    result = {}
    for platform, metric in {k[:2] for k in told}:
        servers = [v for k, v in told.items() if k[:2] == (platform, metric)]
        last = max(max(s) for s in servers)
        day = min(min(s) for s in servers)
        while day <= last:
            row = network_day(servers, day, networks[platform])
            if row["reported"] or row["carried"]:
                result[platform, metric, day] = row
            day += DAY
    return result


def network_day(servers, day, carry):
    row = {"reported": 0, "known": 0, "carried": 0, "carried_value": 0}
    for figures in servers:
        back = next((n for n in range(31) if day - n * DAY in figures), None)
        if back is None:
            continue
        row["known"] += 1
        if back == 0:
            row["reported"] += 1
        elif back <= carry:
            row["carried"] += 1
            row["carried_value"] += figures[day - back * DAY]
    return row


def where(d):
    return d["platform"], d["server"], d["metric"], d["day"]


def platform_days(days, bad, network, networks):
    groups = defaultdict(list)
    for d in days:
        if d["dimension"] == "" and where(d) not in bad:
            groups[d["platform"], d["metric"], d["kind"], d["day"]].append(d)
    rows = {}
    for (platform, metric, kind, day), parts in groups.items():
        row = {"platform": platform, "metric": metric, "kind": kind, "day": day, "measure": parts[0]["measure"],
               "known_servers": None, "carried": None}
        whole = [p for p in parts if p["server"] == ""]
        if whole:
            row.update(value=whole[0]["value"], flag=whole[0]["flag"], servers=1)
        elif not add_up(row, parts, network.get((platform, metric, day)), platform in networks):
            continue
        rows[platform, metric, kind, day] = row
    carried_alone(rows, network, days)
    return rows


def carried_alone(rows, network, days):
    """A day on which every server of a network is silent has the figures that are carried to it."""
    kinds = {(d["platform"], d["metric"]): (d["kind"], d["measure"]) for d in days if d["server"]}
    for (platform, metric, day), n in network.items():
        kind, measure = kinds[platform, metric]
        if not n["reported"] and n["carried"] and (platform, metric, kind, day) not in rows:
            rows[platform, metric, kind, day] = {
                "platform": platform, "metric": metric, "kind": kind, "day": day, "measure": measure, "value": n["carried_value"],
                "flag": "", "servers": 0, "known_servers": n["known"], "carried": n["carried"]}


def add_up(row, parts, net, is_network):
    known = [p["value"] for p in parts if p["value"] is not None]
    if row["kind"] == "distinct" and len(parts) > 1 and net is None:
        return False
    value = sum(known) if known else None
    worst = max(p["flag"] for p in parts)
    if net:
        row.update(known_servers=net["known"], carried=net["carried"])
        value = None if value is None else value + net["carried_value"]
    flag = worst if len(parts) == 1 or not known or worst == "unfinished" else ""
    row.update(value=value, flag=flag, servers=len(parts))
    return True


def unlikely(days, usage, before):
    found = []
    series = defaultdict(dict)
    for d in days:
        if d["dimension"] == "" and d["value"] is not None and d["flag"] == "":
            series[d["platform"], d["server"], d["metric"], d["kind"]][d["day"]] = d["value"]
    for (platform, server, metric, kind), values in series.items():
        base = {"platform": platform, "server": server, "metric": metric}
        for day, value in values.items():
            month = [values[day - n * DAY] for n in range(1, 29) if day - n * DAY in values]
            if value >= 100 and len(month) >= 7 and value > 5 * max(month):
                found.append(base | {"rule": "leap", "day": day, "value": value, "against": max(month), "days": 1})
        if kind != "level":
            found += [base | f for f in flat(values)]
    return found + restated(usage, before)


def flat(values):
    found = []
    for day, value in values.items():
        if value >= 100 and values.get(day + DAY) != value:
            run = 1
            while values.get(day - run * DAY) == value:
                run += 1
            if run >= 21:
                found.append({"rule": "flat", "day": day, "value": value, "against": value, "days": run})
    return found


def restated(usage, before):
    now = {key_of(r): r["value"] for r in usage}
    found = {}
    for load, unfinished in before:
        for r in load["rows"]:
            value = now.get(key_of(r))
            if value is None or value == r["value"] or r["dimension"] or r["day"] == unfinished:
                continue
            key = where(r)
            old = found.get(key, {"value": value, "against": r["value"]})
            found[key] = {"rule": "restated", "platform": key[0], "server": key[1], "metric": key[2], "day": key[3], "days": 1,
                          "value": max(value, old["value"]), "against": max(r["value"], old["against"])}
    return list(found.values())
