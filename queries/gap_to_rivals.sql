--- How far the platform is from each rival: the difference and the ratio, at the month's end.
--- Each side's last figure at or before the month's last day, of units that compare. gap = rival -
--- platform; ratio = rival / platform.
--! params:  month DATE, platform TEXT, platforms TEXT[] = all, metric TEXT = mau
--! columns: rival TEXT, value BIGINT, unit TEXT, as_of DATE, age_days BIGINT, own_value BIGINT, own_unit TEXT, own_as_of DATE, own_age_days BIGINT, gap BIGINT, ratio DOUBLE
--! grain:   rival
--! chart:   bars x=rival y=ratio note=age_days
--! finding: {% if rows %}{% set first = rows[0] %}{% if first.gap > 0 %}{{ first.rival }} has {{ first.ratio|short }} times the figure of {{ params.platform }}: {{ first.value|short }} against {{ first.own_value|short }}{% else %}No rival is ahead of {{ params.platform }} with {{ first.own_value|short }}{% endif %}{% else %}{{ params.platform }} or its rivals have no figure that compares{% endif %}
--! subtitle: times the platform's figure; figures of different ages
--! report:  section=rivals order=40
--! privacy: value, own_value, gap
WITH known_then AS (
  SELECT
    *,
    CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE) - as_of AS age_days
  FROM known
  WHERE comparable AND $metric IN (measure, metric)
    AND as_of < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE)
  QUALIFY row_number() OVER (PARTITION BY platform ORDER BY as_of DESC, origin DESC, metric, value DESC, unit) = 1
),
-- Once through what is known: the platform's own figure stands beside each rival's.
beside AS (
  SELECT
    *,
    max(CASE WHEN platform = $platform THEN value END) OVER () AS own_value,
    max(CASE WHEN platform = $platform THEN unit END) OVER () AS own_unit,
    max(CASE WHEN platform = $platform THEN as_of END) OVER () AS own_as_of,
    max(CASE WHEN platform = $platform THEN age_days END) OVER () AS own_age_days
  FROM known_then
)
SELECT
  platform AS rival, value, unit, as_of, age_days, own_value, own_unit, own_as_of, own_age_days,
  value - own_value AS gap,
  round(CAST(value AS DOUBLE) / nullif(own_value, 0), 2) AS ratio
FROM beside
WHERE platform <> $platform AND own_value IS NOT NULL
  AND (cardinality($platforms) = 0 OR array_has($platforms, platform))
ORDER BY value DESC, rival
