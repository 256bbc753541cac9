--- Growth between consecutive public statements: how much, and how fast a month and a year.
--- growth = b/a - 1; CMGR = (b/a)^(m/days) - 1 with m = 146097/4800 days a month; CAGR the same with
--- 146097/400 days a year; doubling time = ln 2 / ln(1 + CMGR), empty where there is no growth. Only
--- statements that compute, of one unit; up to the month's end where a month is given.
--! params:  platform TEXT = null, metric TEXT = mau, month DATE = null
--! columns: platform TEXT, metric TEXT, unit TEXT, from_as_of DATE, from_value BIGINT, to_as_of DATE, to_value BIGINT, qualifier TEXT, days BIGINT, change BIGINT, growth DOUBLE, cmgr DOUBLE, cagr DOUBLE, doubling_months DOUBLE, mark TEXT
--! grain:   platform, metric, unit, to_as_of
--! chart:   columns x=to_as_of y=cmgr series=platform mark=mark y_unit=pct
--! finding: {% if rows %}{% set last = rows[-1] %}{{ last.platform }} {% if last.change > 0 %}grew from {{ last.from_value|short }} to {{ last.to_value|short }} in {{ last.days }} days{% if last.cmgr is not none %}: {{ last.cmgr|pct }} a month{% endif %}{% elif last.change < 0 %}fell from {{ last.from_value|short }} to {{ last.to_value|short }} in {{ last.days }} days{% else %}stood at {{ last.to_value|short }} for {{ last.days }} days{% endif %}{% else %}Fewer than two statements: no growth to measure{% endif %}
--! subtitle: compound growth a month between consecutive statements
--! report:  section=growth order=10
--! privacy: from_value, to_value, change
WITH pairs AS (
  SELECT
    platform, metric, unit, as_of, value, qualifier,
    lag(as_of) OVER series AS from_as_of,
    lag(value) OVER series AS from_value
  FROM statements
  WHERE computes AND $metric IN (measure, metric)
    AND ($platform IS NULL OR platform = $platform)
    AND ($month IS NULL OR as_of < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE))
  WINDOW series AS (PARTITION BY platform, metric, unit ORDER BY as_of)
)
SELECT
  platform, metric, unit, from_as_of, from_value, as_of AS to_as_of, value AS to_value, qualifier,
  as_of - from_as_of AS days,
  value - from_value AS change,
  round(CAST(value AS DOUBLE) / nullif(from_value, 0) - 1, 6) AS growth,
  round(nullif(power(CAST(value AS DOUBLE) / nullif(from_value, 0), 146097.0 / 4800.0 / (as_of - from_as_of)), CAST('Infinity' AS DOUBLE)) - 1, 6) AS cmgr,
  round(nullif(power(CAST(value AS DOUBLE) / nullif(from_value, 0), 146097.0 / 400.0 / (as_of - from_as_of)), CAST('Infinity' AS DOUBLE)) - 1, 6) AS cagr,
  CASE WHEN value > from_value AND from_value > 0 THEN
    round(ln(2.0) * (as_of - from_as_of) / (146097.0 / 4800.0) / ln(CAST(value AS DOUBLE) / from_value), 2)
  END AS doubling_months,
  'computed' AS mark
FROM pairs
WHERE from_as_of IS NOT NULL
ORDER BY platform, metric, unit, to_as_of
