--- The monthly users that each platform stated, on a scale where equal slopes are equal growth.
--- Every figure that computes, of units that compare; a platform's own months where it counts itself. Up to
--- the month's end where a month is given. Another measure with --metric.
--! params:  platforms TEXT[] = all, metric TEXT = mau, from DATE = 2013-01-01, to DATE = null, month DATE = null
--! columns: platform TEXT, as_of DATE, value BIGINT, unit TEXT, metric TEXT, status TEXT, qualifier TEXT, mark TEXT
--! grain:   platform, metric, unit, as_of
--! chart:   line x=as_of y=value series=platform mark=mark scale=log
--! finding: {% set words = {"exact": "", "about": "about ", "at_least": "more than ", "at_most": "at most "} %}{% set best = namespace(ratio=-1, first=none, last=none, compared=0) %}{% for series in rows|groupby("platform") %}{% set first = series.list[0] %}{% set last = series.list[-1] %}{% if first.value > 0 and first.metric == last.metric and first.unit == last.unit and first.as_of != last.as_of %}{% set best.compared = best.compared + 1 %}{% if last.value / first.value > best.ratio %}{% set best.ratio = last.value / first.value %}{% set best.first = first %}{% set best.last = last %}{% endif %}{% endif %}{% endfor %}{% if best.compared and best.ratio > 1 %}{{ best.last.platform }} grew {{ "most, " if best.compared > 1 else "" }}from {{ words[best.first.qualifier] }}{{ best.first.value|short }} ({{ best.first.as_of|day }}) to {{ words[best.last.qualifier] }}{{ best.last.value|short }} ({{ best.last.as_of|day }}){% elif best.compared == 1 %}{{ best.last.platform }} did not grow{% elif best.compared %}No platform grew in these years{% elif rows %}No platform has two figures that compare in these years{% else %}No figure in these years{% endif %}
--! subtitle: monthly active users as stated, each at its date; equal slopes are equal growth
--! report:  section=rivals order=30
--! privacy: value
SELECT
  platform, as_of, value, unit, metric, status, qualifier,
  CASE WHEN origin = 'statement' THEN 'statement' WHEN finished THEN 'computed' ELSE 'unfinished' END AS mark
FROM known
WHERE comparable AND $metric IN (measure, metric)
  AND (cardinality($platforms) = 0 OR array_has($platforms, platform))
  AND ($from IS NULL OR as_of >= CAST($from AS DATE))
  AND ($to IS NULL OR as_of <= CAST($to AS DATE))
  AND ($month IS NULL OR as_of < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE))
ORDER BY platform, metric, unit, as_of
