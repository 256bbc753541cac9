--- The monthly users that each platform stated, on a scale where equal slopes are equal growth.
--- Every figure that computes, of units that compare; a platform's own months where it counts itself. Up to
--- the month's end where a month is given. Another measure with --metric.
--! params:  platforms TEXT[] = all, metric TEXT = mau, from DATE = 2013-01-01, to DATE = null, month DATE = null
--! columns: platform TEXT, as_of DATE, value BIGINT, unit TEXT, metric TEXT, status TEXT, qualifier TEXT, mark TEXT
--! grain:   platform, metric, unit, as_of
--! chart:   line x=as_of y=value series=platform mark=mark scale=log
--! finding: {% set best = namespace(ratio=1, first=none, last=none) %}{% for series in rows|groupby("platform") %}{% set first = series.list[0] %}{% set last = series.list[-1] %}{% if first.value > 0 and first.unit == last.unit and last.value / first.value > best.ratio %}{% set best.ratio = last.value / first.value %}{% set best.first = first %}{% set best.last = last %}{% endif %}{% endfor %}{% if best.last is not none %}{{ best.last.platform }} multiplied its users most: from {{ best.first.value|short }} ({{ best.first.as_of|day }}) to {{ best.last.value|short }} ({{ best.last.as_of|day }}){% elif rows %}No platform grew in these years{% else %}No figure in these years{% endif %}
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
