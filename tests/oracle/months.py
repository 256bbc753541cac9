"""Months of a platform's own counts and what is compared with what, from queries/views/README.md."""

from collections import defaultdict

from days import DAY, add_months, days_in, month_end, month_of, where

LEFT_OUT = ("jump", "fell", "gap")


def half_up(value):
    """Rounded as SQL does: halves away from zero. Exact for fractions (numerator, denominator)."""
    numerator, denominator = value
    sign = -1 if numerator < 0 else 1
    return sign * ((2 * abs(numerator) + denominator) // (2 * denominator))


def by_month(platform_days):
    months = defaultdict(dict)
    for (platform, metric, kind, day), row in platform_days.items():
        months[platform, metric, kind, month_of(day)][day] = row
    return months


def bridges(made):
    """What a count rose across a gap that lies within a month, where the platform is one series."""
    of_metric = defaultdict(list)
    for c in made:
        if c["dimension"] == "" and (c["kind"] == "counter" or c["metric"] == "registered_users"):
            of_metric[c["platform"], c["metric"]].append(c)
    found = defaultdict(list)
    for (platform, metric), rows in of_metric.items():
        if len({(c["server"], c["kind"]) for c in rows}) == 1:
            flow = "net_adds" if metric == "registered_users" else metric
            for c in rows:
                if c["flag"] == "gap" and not c["unfinished"] and bridged(c):
                    found[platform, flow, month_of(c["day"])].append(c)
    return found


def bridged(c):
    rise, days = c["value"] - c["previous_value"], (c["day"] - c["previous_day"]).days
    around = c["largest_around"]
    jump = around > 0 and rise >= 100 and rise >= 0.03 * c["previous_value"] and rise >= 5 * around * days
    return c["previous_day"] >= month_of(c["day"]) - DAY and rise >= 0 and not jump


def own_months(platform_days, made, metrics):
    gaps = bridges(made)
    result = {}
    for (platform, metric, kind, month), days in by_month(platform_days).items():
        row = own_month(kind, metrics[metric]["measure"], month, days, gaps.get((platform, metric, month), []) if kind == "flow" else [])
        if row:
            row.update(platform=platform, metric=metric, kind=kind, month=month, measure=metrics[metric]["measure"],
                       unit=metrics[metric]["unit"], status="reported", qualifier="exact")
            result[platform, metric, kind, month] = row
    return result


def own_month(kind, measure, month, days, gaps):
    known = {d: r["value"] for d, r in days.items() if r["value"] is not None}
    whole = {d: v for d, v in known.items() if days[d]["flag"] != "unfinished"}
    if not known and not gaps:
        return None
    bridged_days = sum((c["day"] - c["previous_day"]).days for c in gaps)
    rise = sum(c["value"] - c["previous_value"] for c in gaps)
    row = {"days_known": len(whole) + bridged_days, "days_in_month": days_in(month),
           "left_out": sum(1 for r in days.values() if r["flag"] in LEFT_OUT) - len(gaps),
           "as_of": max(list(known) + [c["day"] for c in gaps]), "per_day": None}
    mean = (sum(whole.values()) + rise, row["days_known"]) if row["days_known"] else None
    if kind == "flow":
        row["value"], row["per_day"] = sum(known.values()) + rise, mean
    elif measure == "dau":
        row["value"] = half_up(mean) if mean else known[max(known)]
    else:
        row["value"] = known[max(known)]
    averaged = kind == "flow" or measure == "dau"
    row["finished"] = row["days_known"] == row["days_in_month"] if averaged else month_end(month) in whole
    return row


def own_growth(platform_days, months, pairs, networks):
    jumps = defaultdict(list)
    of_month = by_month(platform_days)
    for (platform, metric, kind, day), r in platform_days.items():
        if r["flag"] == "jump" and kind != "flow":
            jumps[platform, metric, kind].append(day)
    rows = []
    for key, o in months.items():
        rows.append(o | growth_of(key, o, months, of_month, pairs, sorted(jumps[key[:3]])))
    return rows


def growth_of(key, o, months, of_month, pairs, jumps):
    platform, metric, kind, month = key
    days = of_month[key]
    by_servers = any((platform, metric, kind, d) in pairs for d in days)
    averaged = kind == "flow" or o["measure"] == "dau"
    sides = {}
    for name, back in (("mom", 1), ("yoy", 12)):
        then = add_months(month, -back)
        matched = matches(key, days, of_month.get((platform, metric, kind, then), {}), pairs, back, averaged)
        sides[name] = side(o, months.get((platform, metric, kind, then)), matched, by_servers, averaged, jumps)
    mom, yoy = sides["mom"], sides["yoy"]
    row = {
        "basis": "month" if mom["whole"] else "same days" if o["finished"] else "month to date",
        "jumped": any(j >= month for j in jumps if j <= max(days)),
        "knows_jumps": any(j <= max(days) for j in jumps), "mom_days": mom["days"], "yoy_days": yoy["days"],
        "previous_value": None if by_servers else mom["before"], "previous_as_of": mom["before_as_of"],
        "change": mom["change"], "mom": mom["growth"], "yoy": yoy["growth"],
        "year_before_value": None if by_servers else yoy["before"],
    }
    return row | compared(o, mom, days, by_servers, averaged)


def is_whole(row, averaged):
    return row["value"] is not None and (row["flag"] != "unfinished" or not averaged)


def compared(o, mom, days, by_servers, averaged):
    if mom["whole"]:
        return {"compared_value": o["value"], "compared_as_of": o["as_of"], "days": o["days_in_month"] if averaged else None}
    whole = {d: r["value"] for d, r in days.items() if is_whole(r, averaged)}
    if mom["days"] and not by_servers:
        return {"compared_value": mom["now"], "compared_as_of": mom["as_of"], "days": mom["days"] if averaged else None}
    value = o["value"]
    if whole and o["kind"] == "flow":
        value = sum(whole.values())
    elif whole and averaged:
        value = half_up((sum(whole.values()), len(whole)))
    return {"compared_value": value, "compared_as_of": max(whole, default=o["as_of"]), "days": len(whole) if averaged else None}


def matches(key, days, then_days, pairs, back, averaged):
    """The same days of both months that are known on both sides: {day: (day before, now, then)}."""
    matched = {}
    platform, metric, kind, _ = key
    for day, r in days.items():
        pair = pairs.get((platform, metric, kind, day))
        if pair is not None:
            if pair[back] is not None:
                matched[day] = (add_months(day, -back), *pair[back])
            continue
        if r["servers"] == 0:
            # Carried alone: no server reported it.
            continue
        before = add_months(day, -back)
        b = then_days.get(before) if before.day == day.day else None
        if b and is_whole(r, averaged) and is_whole(b, averaged):
            matched[day] = (before, r["value"], b["value"])
    return matched


def side(o, before, matched, by_servers, averaged, jumps):
    finished = before is not None and before["finished"]
    whole = o["finished"] and not by_servers and (finished or not matched)
    s = {"whole": whole, "days": len(matched), "now": None, "before": None, "before_as_of": None, "as_of": None}
    if matched:
        last = max(matched)
        s.update(as_of=last, before_as_of=matched[last][0])
        totals = [sum(m[i] for m in matched.values()) for i in (1, 2)]
        if o["kind"] == "flow":
            s["now"], s["before"] = totals
        elif averaged:
            s["now"], s["before"] = (half_up((t, len(matched))) for t in totals)
        else:
            s["now"], s["before"] = matched[last][1:]
    if whole:
        s.update(now=o["value"], before=before["value"] if finished else None, before_as_of=before["as_of"] if finished else None)
    until = month_end(o["month"]) if whole else s["as_of"]
    jumped = s["before_as_of"] is not None and any(s["before_as_of"] < j <= until for j in jumps)
    if s["before"] is None or s["now"] is None or jumped:
        return s | {"change": None, "growth": None}
    return s | {"change": s["now"] - s["before"], "growth": s["now"] / s["before"] - 1 if s["before"] else None}


def network_pairs(days, bad, networks):
    """Of each day of a network's metric what the servers counted that reported it a month, or a year, before too."""
    told = {}
    for d in days:
        averaged = d["kind"] == "flow" or d["measure"] == "dau"
        if (d["platform"] in networks and d["dimension"] == "" and d["server"] and where(d) not in bad and is_whole(d, averaged)):
            told[d["platform"], d["metric"], d["kind"], d["server"], d["day"]] = d["value"]
    pairs = {}
    for (platform, metric, kind, server, day), value in told.items():
        pair = pairs.setdefault((platform, metric, kind, day), {1: None, 12: None})
        for back in (1, 12):
            before = add_months(day, -back)
            then = told.get((platform, metric, kind, server, before)) if before.day == day.day else None
            if then is not None:
                now, old = pair[back] or (0, 0)
                pair[back] = (now + value, old + then)
    return pairs


COMPARABLE = ("users", "user accounts", "accounts", "messages/day", "users/day")


def known(months, statements):
    """What goes into comparisons: own months before the statements of the same month and measure."""
    figures = []
    for o in months.values():
        if o["kind"] == "flow" and o["per_day"] is None:
            continue
        flow = o["per_day"] is not None
        figures.append({k: o[k] for k in ("platform", "measure", "metric", "as_of", "status", "qualifier", "finished", "month")}
                       | {"value": half_up(o["per_day"]) if flow else o["value"], "unit": o["unit"] + ("/day" if flow else ""),
                          "origin": "usage", "definition": "", "source_title": "", "source_url": ""})
    counted = {(f["platform"], f["month"], f["measure"]) for f in figures}
    for s in statements:
        if s["computes"] and (s["platform"], month_of(s["as_of"]), s["measure"]) not in counted:
            figures.append(s | {"finished": True, "origin": "statement", "month": month_of(s["as_of"])})
    for f in figures:
        f["comparable"] = f["unit"] in COMPARABLE
    return figures
