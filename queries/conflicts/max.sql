--- Usage where several loads state a figure: the largest counts.
SELECT
  platform, server, day, at, metric, kind, dimension, dimension_value,
  CAST(MAX(value) AS BIGINT) AS value,
  'reported' AS status,
  MAX(load) AS load
FROM stated_usage
GROUP BY platform, server, day, at, metric, kind, dimension, dimension_value
