--- How far the platform is from each rival: the difference and the ratio, at the month's end.
--- Each side's last figure at or before the month's last day, at most `max_age_days` old then (3 years), of units
--- that compare. gap = rival - platform; ratio = rival / platform.
--! params:  month DATE, platform TEXT, platforms TEXT[] = all, metric TEXT = mau, max_age_days BIGINT = 1096
--! columns: rival TEXT, value BIGINT, unit TEXT, qualifier TEXT, as_of DATE, age_days BIGINT, own_value BIGINT, own_unit TEXT, own_qualifier TEXT, own_as_of DATE, own_age_days BIGINT, gap BIGINT, ratio DOUBLE
--! grain:   rival
--! chart:   bars x=rival y=ratio note=age_days
--! finding: {% set words = {"exact": "", "about": "about ", "at_least": "more than ", "at_most": "at most "} %}{% if rows %}{% set first = rows[0] %}{% if first.gap > 0 %}{{ first.rival }} has {% if first.ratio is not none %}{% if first.ratio >= 1000 %}{{ (first.ratio|round)|int|exact }}{% else %}{{ first.ratio|short }}{% endif %} times the figure of {{ params.platform }}{% else %}more than {{ params.platform }}{% endif %}: {{ words[first.qualifier] }}{{ first.value|short }} against {{ words[first.own_qualifier] }}{{ first.own_value|short }}{% else %}No rival's figure is above that of {{ params.platform }}: {{ words[first.own_qualifier] }}{{ first.own_value|short }}{% endif %}{% else %}{{ params.platform }} or its rivals have no figure that compares{% endif %}
--! subtitle: times the platform's figure, each as last known; {% if (params.max_age_days ~ "") == "1096" %}figures at most 3 years old{% else %}figures at most {{ params.max_age_days }} days old{% endif %}
--! report:  section=rivals order=40
--! privacy: value, own_value, gap
WITH known_then AS (
  SELECT
    *,
    CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE) - as_of AS age_days
  FROM known
  WHERE comparable AND $metric IN (measure, metric)
    AND as_of < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE)
    AND CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE) - as_of <= $max_age_days
  QUALIFY row_number() OVER (PARTITION BY platform ORDER BY as_of DESC, origin DESC, metric, value DESC, unit) = 1
),
-- Once through what is known: the platform's own figure stands beside each rival's.
beside AS (
  SELECT
    *,
    max(CASE WHEN platform = $platform THEN value END) OVER () AS own_value,
    max(CASE WHEN platform = $platform THEN unit END) OVER () AS own_unit,
    max(CASE WHEN platform = $platform THEN qualifier END) OVER () AS own_qualifier,
    max(CASE WHEN platform = $platform THEN as_of END) OVER () AS own_as_of,
    max(CASE WHEN platform = $platform THEN age_days END) OVER () AS own_age_days
  FROM known_then
)
SELECT
  platform AS rival, value, unit, qualifier, as_of, age_days, own_value, own_unit, own_qualifier, own_as_of, own_age_days,
  value - own_value AS gap,
  round(CAST(value AS DOUBLE) / nullif(own_value, 0), 2) AS ratio
FROM beside
WHERE platform <> $platform AND own_value IS NOT NULL
  AND (cardinality($platforms) = 0 OR array_has($platforms, platform))
ORDER BY value DESC, rival
