--- Every platform's figures by its age: who was how large after how many years.
--- `since` = launch counts from the day the platform opened (essor.toml); `since` = ten_million from the day
--- it passed 10 million, interpolated log-linearly between the statements around it. A platform whose first
--- statement is above 10 million already counts from that statement (`start` says first_known): its line
--- stands further left than it should. A platform of which nothing is known after its start is left out.
--- age_years = days / (146097/400).
--! params:  month DATE = null, since TEXT = ten_million, platforms TEXT[] = all, metric TEXT = mau
--! columns: platform TEXT, age_years DOUBLE, value BIGINT, as_of DATE, start_day DATE, start TEXT, unit TEXT, metric TEXT, mark TEXT
--! grain:   platform, metric, unit, as_of
--! chart:   line x=age_years y=value series=platform mark=mark scale=log x_title=years
--! finding: {% set grown = rows|selectattr("age_years", "gt", 0)|list %}{% if grown %}{% set top = (grown|sort(attribute="value"))[-1] %}{% set first = (rows|selectattr("platform", "equalto", top.platform)|selectattr("metric", "equalto", top.metric)|selectattr("unit", "equalto", top.unit)|list)[0] %}{{ top.platform }} had {{ top.value|short }} {{ top.age_years|short }} year{{ "" if top.age_years == 1 else "s" }} {% if params.since == "launch" %}after launch{% elif top.start == "first_known" %}after its first known figure ({{ first.value|short }}){% elif top.start == "interpolated" %}after it passed 10 M, as even growth has it{% else %}after it stated 10 M{% endif %}{% else %}No platform has a figure after a known start{% endif %}
--! subtitle: figures as stated, by years since the start
--! report:  section=rivals order=55
--! privacy: value
WITH figures AS (
  SELECT
    platform, metric, unit, as_of, value, finished, origin,
    lag(as_of) OVER series AS previous_as_of,
    lag(value) OVER series AS previous_value,
    max(value) OVER (
      PARTITION BY platform, metric, unit ORDER BY as_of ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS highest_before
  FROM known
  WHERE comparable AND $metric IN (measure, metric)
    AND ($month IS NULL OR as_of < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE))
    AND (cardinality($platforms) = 0 OR array_has($platforms, platform))
  WINDOW series AS (PARTITION BY platform, metric, unit ORDER BY as_of)
),
-- The statement that passed 10 million, and the day on which even growth passed it.
with_passing AS (
  SELECT
    *,
    value >= 10000000 AND coalesce(highest_before, 0) < 10000000 AS passes,
    CASE
      WHEN value = 10000000 OR coalesce(previous_value, 0) <= 0 THEN as_of
      WHEN value > previous_value THEN arrow_cast(arrow_cast(previous_as_of, 'Int32') + CAST(round(
        (as_of - previous_as_of) * ln(10000000.0 / previous_value) / ln(CAST(value AS DOUBLE) / previous_value)
      ) AS INT), 'Date32')
    END AS passing_day
  FROM figures
),
started AS (
  SELECT
    f.platform, f.metric, f.unit, f.as_of, f.value, f.finished, f.origin,
    CASE $since
      WHEN 'launch' THEN p.launched
      WHEN 'ten_million' THEN max(CASE WHEN f.passes THEN f.passing_day END) OVER series
    END AS start_day,
    CASE $since
      WHEN 'launch' THEN 'launch'
      ELSE max(CASE WHEN f.passes THEN CASE
        WHEN f.value = 10000000 THEN 'statement'
        WHEN f.previous_as_of IS NULL THEN 'first_known'
        ELSE 'interpolated'
      END END) OVER series
    END AS start
  FROM with_passing f
  LEFT JOIN platforms p ON p.platform = f.platform
  WINDOW series AS (PARTITION BY f.platform, f.metric, f.unit)
)
SELECT
  platform, round((as_of - start_day) / (146097.0 / 400.0), 3) AS age_years, value, as_of, start_day, start,
  unit, metric,
  CASE WHEN origin = 'statement' THEN 'statement' WHEN finished THEN 'computed' ELSE 'unfinished' END AS mark
FROM started
WHERE as_of >= start_day
QUALIFY max(as_of) OVER (PARTITION BY platform, metric, unit) > start_day
ORDER BY platform, metric, unit, as_of
