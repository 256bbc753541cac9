--- Messages and signups a day that a platform stated, over time.
--- Every statement that computes, up to the month's end; equal slopes are equal growth.
--! params:  month DATE, platform TEXT
--! columns: metric TEXT, as_of DATE, value BIGINT, unit TEXT, status TEXT, qualifier TEXT, definition TEXT, mark TEXT
--! grain:   metric, unit, as_of
--! chart:   line x=as_of y=value series=metric mark=mark scale=log
--! finding: {% set words = {"exact": "", "about": "about ", "at_least": "more than ", "at_most": "at most "} %}{% if rows %}{% set said = namespace(text="") %}{% for series in rows|groupby("metric") %}{% set first = series.list[0] %}{% set last = series.list[-1] %}{% set what = "messages" if series.grouper == "messages_per_day" else "signups" %}{% set said.text = said.text ~ ("; " if said.text else "") ~ words[last.qualifier] ~ (last.value|short) ~ " " ~ what ~ " a day" ~ (", from " ~ words[first.qualifier] ~ (first.value|short) ~ " in " ~ (first.as_of|month) if first.value != last.value and first.unit == last.unit else (", unchanged since " ~ (first.as_of|month) if first.as_of != last.as_of and first.unit == last.unit and series.list|length == 2 else "")) %}{% endfor %}{{ params.platform }}: {{ said.text }}{% else %}{{ params.platform }} stated neither messages nor signups{% endif %}
--! subtitle: messages and new accounts a day, as stated
--! report:  section=messages order=5
--! privacy: none
SELECT metric, as_of, value, unit, status, qualifier, definition, 'statement' AS mark
FROM statements
WHERE platform = $platform AND measure IN ('messages', 'signups') AND computes
  AND as_of < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE)
ORDER BY metric, unit, as_of
