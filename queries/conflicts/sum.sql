--- Usage where several loads state a figure: they add up (each load is a part).
SELECT
  platform, server, day, at, metric, kind, dimension, dimension_value,
  CAST(SUM(value) AS BIGINT) AS value,
  'reported' AS status,
  MAX(load) AS load
FROM stated_usage
GROUP BY platform, server, day, at, metric, kind, dimension, dimension_value
