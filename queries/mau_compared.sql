--- The monthly users that each platform stated, over time.
--- Every figure that computes, of units that compare; a platform's own months where it counts itself. Up to
--- the month's end where a month is given. Another measure with --metric.
--! params:  platforms TEXT[] = all, metric TEXT = mau, from DATE = 2013-01-01, to DATE = null, month DATE = null
--! columns: platform TEXT, as_of DATE, value BIGINT, unit TEXT, metric TEXT, status TEXT, qualifier TEXT, mark TEXT
--! grain:   platform, metric, unit, as_of
--! chart:   line x=as_of y=value series=platform mark=mark
--! finding: {% set words = {"exact": "", "about": "about ", "at_least": "more than ", "at_most": "at most "} %}{% if rows %}{% set top = (rows|sort(attribute="value"))[-1] %}{{ top.platform }} has the highest figure: {{ words[top.qualifier] }}{{ top.value|short }} for {{ top.as_of|day }}{% else %}No figure in these years{% endif %}
--! subtitle: monthly active users as stated, each at its date
--! report:  section=rivals order=20
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
