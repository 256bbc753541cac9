"""The results as Markdown: seconds, and their ratio to essor's."""
from questions import QUESTIONS

WORDS = {"late": "> {limit:g} s", "failed": "failed", "memory": "out of memory"}


def figure(value, limit):
    if isinstance(value, str):
        return WORDS[value].format(limit=limit)
    if value is None:
        return "–"
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}"


def ratio(value, ours, limit):
    if not isinstance(ours, (int, float)) or value in (None, "failed", "memory"):
        return ""
    times = lambda number: f"{number:,.0f}×" if number >= 10 else f"{number:.2g}×"
    return f" (> {times(limit / ours)})" if value == "late" else f" ({times(value / ours)})"


def lines(title, header, rows):
    return [f"### {title}", "", "| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1), *("| " + " | ".join(row) + " |" for row in rows), ""]


def compared(title, engines, parts, limit):
    """A row a part, a column an engine: seconds, ratio to essor, the best peer in bold."""
    ours = next((engine for engine in engines if engine["engine"] == "essor"), None)
    rows = []
    for name, value in parts:
        own = value(ours) if ours else None
        numbers = [value(engine) for engine in engines if engine["engine"] not in ("essor", "naive")]
        least = min((number for number in numbers if isinstance(number, (int, float))), default=None)
        row = [name]
        for engine in engines:
            text = figure(value(engine), limit)
            if engine is not ours:
                text += ratio(value(engine), own, limit)
                text = f"**{text}**" if least is not None and value(engine) == least else text
            row.append(text)
        rows.append(row)
    return lines(title, ["seconds (times essor's)", *(engine["engine"] + (" †" if engine["cached"] else "") for engine in engines)], rows)


def markdown(results):
    about, engines = results["about"], sorted(results["engines"], key=lambda engine: engine["engine"] != "essor")
    limit, days, out = about["limit"], about["user_days"], []
    out += [f"{days:,} user-days of {about['first']} to {about['last']}, {about['threads']} threads each, {about['when']}, load of the machine at the end "
            f"{about['load_average'][0]:.1f}. " + ", ".join(f"{engine['engine']} {engine['version']}" for engine in engines) + ".", ""]
    out += compared("Each question alone, warm", engines, [(asked, lambda e, q=q: e["questions"][q]) for q, (asked, *_) in QUESTIONS.items()], limit)
    out += compared("Totals", engines, [
        ("the suite of six, warm", lambda e: e["suite"]), ("the same with the start of its process", lambda e: e["suite_process"]), ("load of the Parquet files", lambda e: e["load"]), ("cold: files to six answers", lambda e: e["cold"]),
        ("one day added", lambda e: e["add"]), ("added day to six answers", lambda e: e["added"])], limit)
    out += compared("CPU seconds of all threads, which a busy machine disturbs less", engines, [
        *((asked, lambda e, q=q: e["cpu"].get(q)) for q, (asked, *_) in QUESTIONS.items()),
        *((name, lambda e, part=part: e["cpu"].get(part)) for name, part in (("the suite of six, warm", "suite"), ("cold: files to six answers", "cold"), ("added day to six answers", "added")))], limit)
    shared = [engine for engine in engines if engine["packed"]]
    if shared:
        out += lines("Within the suite, where the questions share a pass", ["seconds", *(e["engine"] for e in shared)],
                     [[name, *(figure(e["packed"].get(name), limit) for e in shared)] for name in ("pass", *QUESTIONS)])
    megabytes = lambda value: f"{value / 1e6:,.0f}" if value else "–"
    steps = sorted({step for engine in engines for step in engine["peak"]})
    out += lines("Memory and disk", ["", *(e["engine"] for e in engines)], [
        *([f"peak memory, {step}, MB", *(megabytes(e["peak"].get(step)) for e in engines)] for step in steps),
        ["store, MB", *(megabytes(e["size"]) for e in engines)],
        ["store, bytes a user-day", *(f"{e['size'] / days:.2f}" if e["size"] else "–" for e in engines)]])
    if results["csv"]:
        csv = results["csv"]
        ours = csv["seconds"].get("essor")
        out += lines(f"Load of CSV: {csv['rows']:,} user-days of {csv['days']} days, {csv['bytes'] / 1e6:,.0f} MB", ["", "seconds", "million rows a second"],
                     [[name, figure(s, limit) + ("" if name == "essor" else ratio(s, ours, limit)), f"{csv['rows'] / s / 1e6:.2f}"] for name, s in csv["seconds"].items()])
    for engine in engines:
        if engine["engine"] == "essor":
            out += [f"essor at this scale: a day's ingest {figure(engine['add'], limit)} s, the six questions after it {figure(engine['added_suite'], limit)} s.", ""]
        if engine["cached"]:
            out += [f"† {engine['engine']}: {', '.join(engine['cached'])} from the cache of an earlier run on these files (`--fresh` runs them).", ""]
        for question, error in engine["failed"].items():
            out += [f"{engine['engine']}, {question} failed: {error}", ""]
    unlike = [f"{engine['engine']}, {question} ({step}): {verdict}" for engine in engines for step, verdicts in engine["answers"].items() for question, verdict in verdicts.items() if verdict]
    asked = {question for engine in engines for verdicts in engine["answers"].values() for question in verdicts}
    out += ["Answers unlike, or with cells left out: " + "; ".join(unlike) if unlike else f"All answers ({len(asked)} questions, {len(engines)} engines, before and after the added day) are equal row for row.", ""]
    return "\n".join(out)
