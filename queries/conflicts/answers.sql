--- Usage where answers of one program overlap, as those do that hold the last weeks: the one that reaches furthest counts.
--- `load_order` has those that may, the one that counts last.
SELECT
  platform, server, day, at, metric, kind, dimension, dimension_value, value, status, load
FROM stated_usage
WHERE load NOT IN (SELECT load FROM load_order)
UNION ALL
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
