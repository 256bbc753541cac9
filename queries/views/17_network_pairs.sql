--- What a network's servers that reported both on a day and on the same day of the month before, or of the year before, counted on
--- each, one platform, metric and day a row: growth compares the same servers, so that one that comes or falls silent is no
--- growth. Of whole days only; what is `impossible` is no report.
--! needs: network
WITH told AS (
  SELECT
    d.platform, d.metric, d.kind, d.server, d.day, d.value,
    CAST(date_part('day', d.day) AS BIGINT) AS day_of_month,
    12 * CAST(date_part('year', d.day) AS BIGINT) + CAST(date_part('month', d.day) AS BIGINT) AS month_number
  FROM daily d
  JOIN networks n ON n.platform = d.platform
  LEFT JOIN impossible i ON i.platform = d.platform AND i.server = d.server AND i.metric = d.metric AND i.day = d.day
  WHERE d.dimension = '' AND d.server <> '' AND d.value IS NOT NULL AND i.platform IS NULL
    AND (d.flag <> 'unfinished' OR d.kind <> 'flow' AND d.measure <> 'dau')
),
paired AS (
  SELECT *, max(value) OVER month_ago AS month_value, max(value) OVER year_ago AS year_value
  FROM told
  WINDOW
    month_ago AS (PARTITION BY platform, metric, kind, server, day_of_month ORDER BY month_number RANGE BETWEEN 1 PRECEDING AND 1 PRECEDING),
    year_ago AS (PARTITION BY platform, metric, kind, server, day_of_month ORDER BY month_number RANGE BETWEEN 12 PRECEDING AND 12 PRECEDING)
)
SELECT
  platform, metric, kind, day,
  TRY_CAST(sum(CASE WHEN month_value IS NOT NULL THEN CAST(value AS DECIMAL(38, 0)) END) AS BIGINT) AS month_now,
  TRY_CAST(sum(CAST(month_value AS DECIMAL(38, 0))) AS BIGINT) AS month_then,
  TRY_CAST(sum(CASE WHEN year_value IS NOT NULL THEN CAST(value AS DECIMAL(38, 0)) END) AS BIGINT) AS year_now,
  TRY_CAST(sum(CAST(year_value AS DECIMAL(38, 0))) AS BIGINT) AS year_then
FROM paired
GROUP BY platform, metric, kind, day
