"""Random small data sets, and their raw rows as the oracle reads them: nothing of essor is asked."""

from datetime import date, datetime

from days import DAY, add_months, month_end, month_of

COUNTING = ("Own", "Sol", "Owl", "Crow", "Rook")
PLATFORMS = ("Own", "Ray", "Sol", "Tern", "Net", "Owl", "Crow", "Rook")
STATED = {"mau": "mau_stated", "dau": "dau_stated", "mau_28d": "mau_28d", "registered_users": "registered_users",
          "messages_per_day": "messages_per_day", "signups_per_day": "signups_per_day", "headcount": "headcount",
          "monthly_cost": "monthly_cost"}
COUNTED = {"messages": "messages_sent", "total": "messages_sent", "mau": "mau_stated"}
STATUS = ["stated"] * 8 + ["derived", "disputed", "compiled", "estimate", "record", "regional", "spike"]
QUALIFIER = ["exact"] * 4 + ["about"] * 4 + ["at_least"] * 2 + ["at_most"]
UNITS = {"mau": ["users"] * 5 + ["user accounts", "unique IDs"], "headcount": ["people", "engineers"],
         "monthly_cost": ["EUR/month", "USD/month"], "messages_per_day": ["messages/day"], "signups_per_day": ["users/day"]}
FIELDS = ("platform", "metric", "value", "unit", "as_of", "precision", "status", "qualifier", "definition", "published",
          "source_title", "source_url")


def make(random):
    """A set: options of essor.toml and the files in the order in which they are read."""
    start = date(2014, 1, 1) + random.randrange(1100) * DAY
    count = random.choice([random.randint(20, 50), random.randint(50, 130)])
    spans = [(start, count)]
    if random.random() < 0.3:
        spans.append((add_months(start, 12) + random.randint(-10, 10) * DAY, random.randint(20, 60)))
    options = {"network": "Net" if random.random() < 0.5 else "", "carry": random.choice([0, 0, 1, 3, 7]),
               "launched": {p: start - random.randrange(200, 2000) * DAY for p in PLATFORMS if random.random() < 0.6},
               "confirmed": set(), "disputes": []}
    files = [f for name in COUNTING for f in own_files(random, spans, name)]
    if random.random() < 0.6:
        files.append(servers_file(random, "Net", "data/net.csv", spans))
    if random.random() < 0.5:
        files.append(servers_file(random, "Ray", "data/ray.csv", spans))
    files += again(random, files)
    end = spans[-1][0] + spans[-1][1] * DAY
    said = [statements_file(random, end, options)] if random.random() < 0.9 else []
    whole = {"options": options, "files": files[:1] + said + files[1:], "span": (start, end)}
    confirm(random, whole)
    return whole


def days_of(random, spans, gaps):
    days = [start + n * DAY for start, count in spans for n in range(count)]
    kept, hole = [], 0
    for day in days:
        hole = hole - 1 if hole else random.randint(1, 9) if random.random() < gaps else 0
        if not hole:
            kept.append(day)
    return kept or days[:1]


def own_files(random, spans, name):
    files, prefix = [], f"data/{name.lower()}"
    kind = random.choice(["daily", "cumulative", "hourly", "none"])
    if kind in ("daily", "none"):
        files.append(daily_file(random, spans, ["messages", "signups", "registered_users"], prefix))
    else:
        files.append(counted_file(random, spans, kind == "hourly", prefix))
        files.append(daily_file(random, spans, ["signups"], prefix))
    return [f for f in files if f["rows"]] if kind != "none" else []


def daily_file(random, spans, columns, prefix):
    users = random.choice([20, 3000, 200000, 8000000])
    columns = [c for c in columns if random.random() < 0.8] + [random.choice(["mau", "mau_28d", "mau_30d"])]
    columns += ["dau"] if random.random() < 0.8 else []
    series = {c: walk(random, c, users) for c in columns}
    rows = []
    for day in days_of(random, spans, random.choice([0, 0, 0.02, 0.1])):
        rows.append([day.isoformat()] + [next(series[c]) for c in columns])
    return {"path": prefix + "_daily.csv", "columns": ["date"] + columns, "rows": rows}


def walk(random, column, users):
    """A column's values, day after day, with empty cells, leaps and flat lines."""
    scale = {"messages": 20, "signups": 0.01, "dau": 0.3, "registered_users": 3}.get(column, 1)
    value, growth = users * scale, random.choice([0, 0.001, 0.01])
    empty, flat = random.choice([0, 0, 0.05]), random.random() < 0.1
    while True:
        if column == "registered_users":
            value += jump(random, value) if random.random() < 0.03 else value * random.uniform(-0.001, growth + 0.001)
            told = value
        else:
            value *= 1 + growth * random.uniform(-1, 2)
            told = value if flat else value * random.choice([random.uniform(0.8, 1.2)] * 30 + [7])
        yield "" if random.random() < empty else str(max(0, int(told)))


def jump(random, value):
    return random.choice([0.2, 0.05, 0.02, -0.01, -0.1]) * value


def counted_file(random, spans, hourly, prefix):
    total, accounts = random.choice([0, 5000, 10**6, 10**8]), random.choice([50, 5000, 900000])
    speed, growth = random.choice([10, 3000, 100000]), random.choice([1, 40, 700])
    rows, moments = [], []
    for day in days_of(random, [(s, min(n, 40)) for s, n in spans] if hourly else spans, random.choice([0, 0.02, 0.1])):
        hours = sorted(random.sample(range(24), random.choice([1, 2, 4, 6]))) if hourly else [None]
        moments += [(day, hour) for hour in hours]
    last = None
    for day, hour in moments:
        since = max(1, (day - last).days) / (6 if hourly else 1) if last else 1
        total += int(speed * since * random.uniform(0.5, 1.5))
        accounts += int(growth * since * random.uniform(-0.2, 1.5))
        if random.random() < 0.02:
            total = max(0, total + int(jump(random, total) + random.choice([0, 20000, 400000])))
        if random.random() < 0.02:
            accounts = max(0, accounts + int(jump(random, accounts)))
        last = day
        when = day.isoformat() if hour is None else f"{day} {hour:02}:{random.choice([0, 0, 30]):02}:00"
        rows.append([when, str(total), str(accounts)])
    columns = ["timestamp" if hourly else "date", "total", "registered_users"]
    return {"path": prefix + "_counts.csv", "columns": columns, "rows": rows}


def servers_file(random, platform, path, spans):
    rows = []
    metrics = [m for m in ("dau", "registered_users", "messages", "mau_30d", "signups") if random.random() < 0.7] or ["dau"]
    for server in "abcd"[:random.randint(1, 4)]:
        users = random.choice([5, 400, 60000])
        for metric in metrics:
            series = walk(random, metric, users)
            days = days_of(random, spans, random.choice([0, 0.05, 0.15]))
            for day in days[random.choice([0, 0, 5]):]:
                value = next(series)
                if value:
                    rows.append([day.isoformat(), platform, server, metric, value, "", ""])
    if random.random() < 0.3:
        rows += [[r[0], platform, "z", "signups", "3", "country", c] for r in rows[:9] for c in ("DE", "FR")][:12]
        rows = list({tuple(r[:4] + r[5:]): r for r in rows}.values())
    return {"path": path, "columns": ["date", "platform", "server", "metric", "value", "dimension", "dimension_value"], "rows": rows}


def again(random, files):
    """New contents of known paths: longer, corrected, the last days only, or a few days from the middle."""
    found = []
    for file in files:
        if random.random() < 0.35 and len(file["rows"]) > 6:
            days = sorted({r[0][:10] for r in file["rows"]})
            cut = days[random.randrange(len(days))]
            kind = random.choice(["first part first", "corrected", "last days", "middle"])
            rows = [list(r) for r in file["rows"]]
            if kind == "first part first":
                file["rows"] = [r for r in rows if r[0][:10] <= cut]
            elif kind == "last days":
                rows = [r for r in rows if r[0][:10] >= cut]
            elif kind == "middle":
                rows = [r for r in rows if cut <= r[0][:10] <= days[min(len(days) - 1, days.index(cut) + 3)]]
            for r in rows:
                if random.random() < 0.05:
                    value = 4 if len(r) == 7 else len(r) - 1
                    r[value] = str(int(int(r[value] or 0) * random.choice([0.9, 1.1])))
            found.append({"path": file["path"], "columns": file["columns"], "rows": rows})
    return found


def statements_file(random, end, options):
    rows, earliest = [], end - 2000 * DAY
    for platform in PLATFORMS[:4]:
        for metric in STATED:
            for _ in range(random.choice([0, 0, 1, 3, 6])):
                rows.append(statement(random, platform, metric, earliest, end, rows))
    for row in [r for r in rows if random.random() < 0.15]:
        rows.append(another_source(random, row))
    for row in rows:
        if random.random() < 0.04:
            as_of = date.fromisoformat(row[4])
            options["disputes"].append({"platform": row[0], "metric": STATED[row[1]], "given": row[1], "as_of": as_of,
                                        "value": int(row[2]), "computes": random.random() < 0.5})
    return {"path": "data/disclosures.csv", "columns": list(FIELDS), "rows": rows}


def statement(random, platform, metric, earliest, end, rows):
    day = earliest + random.randrange((end - earliest).days + 60) * DAY
    precision = random.choice(["day"] * 4 + ["month", "quarter", "year"])
    if precision != "day":
        months = {"month": 1, "quarter": 3, "year": 12}[precision]
        day = month_end(add_months(month_of(day), months - 1 - (day.month - 1) % months))
    same = [r for r in rows if r[:2] == [platform, metric]]
    large = {"headcount": 50, "monthly_cost": 10**6, "signups_per_day": 10**4}.get(metric, random.choice([60, 10**4, 10**7, 10**8]))
    value = int(large * random.choice([0.5, 1, 1, 1.5, 4]) * random.choice([1, 1, random.uniform(0.9, 1.1)]))
    if same and random.random() < 0.7:
        value = int(int(random.choice(same)[2]) * random.choice([1, 1, 1.04, 0.97, 1.3, 2, 2.5, 0.4]))
    if same and random.random() < 0.1:
        day, precision = date.fromisoformat(same[-1][4]), same[-1][5]
    if random.random() < 0.01:
        value = random.choice([0, 10**7])
    return [platform, metric, str(value), random.choice(UNITS.get(metric, ["users"])), day.isoformat(), precision,
            random.choice(STATUS), random.choice(QUALIFIER), random.choice(["", "as said"]), *source(random, day, end)]


def source(random, day, end):
    later = day + random.choice([0, 5, 40, 300]) * DAY
    later = random.choice([later, later, min(end, max(day, end - random.randrange(60) * DAY))])
    published = random.choice([later.isoformat(), later.isoformat(), f"{later:%Y-%m}", str(later.year), ""])
    page = random.randrange(40)
    return [published, *random.choice([[f"T{page}", f"https://example.org/{page}"]] * 8 + [["", ""], [f"T{page}", ""]])]


def another_source(random, row):
    day = date.fromisoformat(row[4])
    return row[:6] + [random.choice(STATUS), random.choice(QUALIFIER), "again", *source(random, day, day + 400 * DAY)]


def confirm(random, whole):
    import days as figures
    usage, _ = figures.live_usage(loads(whole))
    made = figures.daily(usage, figures.changes(usage), Metrics())
    for d in figures.impossible(made, set()):
        if random.random() < 0.2:
            whole["options"]["confirmed"].add(figures.where(d))


class Metrics(dict):
    """Kind and measure of the metrics that the sets use, as METRICS.md has them."""

    def __missing__(self, name):
        measure = next((m for m in ("mau", "dau") if name.startswith(m)), {"messages_sent": "messages"}.get(name, name))
        return {"measure": measure, "kind": kind_of(name)}


def kind_of(metric):
    if metric.startswith(("mau", "dau")):
        return "distinct"
    return "level" if metric == "registered_users" else "flow"


def toml(options):
    """essor.toml of a set."""
    lines = ['[project]', 'platform = "Own"', 'rivals = ["Ray", "Sol", "Tern"]', 'zone = "UTC"', 'data = ["data"]']
    if options["network"]:
        lines += [f'network = "{options["network"]}"', f'carry_forward = {options["carry"]}']
    lines += ['[[source]]', 'path = "data/*.csv"']
    for name in COUNTING:
        prefix = f"data/{name.lower()}"
        lines += ['[[source]]', f'path = "{prefix}_daily.csv"', f'platform = "{name}"']
        lines += ['[[source]]', f'path = "{prefix}_counts.csv"', f'platform = "{name}"', 'columns = { total = "messages" }',
                  'cumulative = ["total"]']
    lines += ['[[source]]', 'path = "data/disclosures.csv"', 'grain = "disclosures"', 'on_change = "replace"']
    for platform, day in options["launched"].items():
        lines += [f'[platform.{platform}]', f'launched = "{day}"']
    for platform, server, metric, day in sorted(options["confirmed"]):
        lines += ['[[confirmed]]', f'platform = "{platform}"', f'server = "{server}"', f'metric = "{metric}"', f'day = "{day}"']
    for d in options["disputes"]:
        lines += ['[[dispute]]', f'platform = "{d["platform"]}"', f'metric = "{d["given"]}"', f'as_of = "{d["as_of"]}"',
                  f'value = {d["value"]}', f'computes = {str(d["computes"]).lower()}']
    return "\n".join(lines) + "\n"


def csv_of(file):
    return "\n".join(",".join(r) for r in [file["columns"], *file["rows"]]) + "\n"


def disclosures(whole):
    last = [f for f in whole["files"] if f["path"] == "data/disclosures.csv"][-1:]
    rows = [dict(zip(FIELDS, r)) for f in last for r in f["rows"]]
    return [r | {"metric": STATED[r["metric"]], "value": int(r["value"]), "as_of": date.fromisoformat(r["as_of"])} for r in rows]


def loads(whole):
    found, seen = [], set()
    for file in whole["files"]:
        if file["path"] == "data/disclosures.csv" or not file["rows"] or (file["path"], csv_of(file)) in seen:
            continue
        seen.add((file["path"], csv_of(file)))
        named = file["path"].removeprefix("data/").split("_")[0].capitalize()
        rows = [u for r in file["rows"] for u in usage_of(file["columns"], r, named)]
        if rows:
            found.append({"path": file["path"], "rows": rows})
    return found


def usage_of(columns, row, named):
    cells = dict(zip(columns, row))
    when = cells.get("date") or cells["timestamp"]
    at = datetime.fromisoformat(when) if " " in when else None
    shared = {"platform": cells.get("platform", named), "server": cells.get("server", ""), "day": date.fromisoformat(when[:10]), "at": at,
              "dimension": cells.get("dimension", ""), "dimension_value": cells.get("dimension_value", "")}
    figures = {cells["metric"]: cells["value"]} if "metric" in cells else {
        c: v for c, v in cells.items() if c not in ("date", "timestamp")}
    for name, value in figures.items():
        if value != "":
            metric = COUNTED.get(name, name)
            yield shared | {"metric": metric, "kind": "counter" if name == "total" else kind_of(metric), "value": int(value)}
