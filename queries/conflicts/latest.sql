--- Usage where several loads state a figure: the one loaded last counts.
SELECT
  platform, server, day, at, metric, kind, dimension, dimension_value, value, status, load
FROM (
  SELECT
    u.*,
    ROW_NUMBER() OVER (
      PARTITION BY u.platform, u.server, u.day, u.at, u.metric, u.kind, u.dimension, u.dimension_value
      ORDER BY o.seq DESC
    ) AS place
  FROM stated_usage AS u
  JOIN load_order AS o ON o.load = u.load
)
WHERE place = 1
