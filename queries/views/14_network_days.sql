--- Who of a network's servers reported a metric on a day, one platform, metric and day a row: `reported` servers of
--- `known` ones. Known is a server that has reported the metric on the day or within the 30 days before it: one that is
--- silent for longer has left. A silent server is missing, never zero. Where essor.toml says `carry_forward`, a
--- server's last figure stands for so many silent days after it: `carried` servers, together `carried_value`; without
--- it both are 0. A server whose activity covers the day has reported what is computed from it. What is `impossible` is
--- no report.
--! needs: network
WITH told AS (
  SELECT d.platform, d.metric, d.server, d.day, d.value
  FROM daily d
  LEFT JOIN impossible i ON i.platform = d.platform AND i.server = d.server AND i.metric = d.metric AND i.day = d.day
  WHERE d.dimension = '' AND d.server <> '' AND d.value IS NOT NULL AND i.platform IS NULL
  UNION ALL
  SELECT s.platform, a.metric, s.server, s.day, CAST(NULL AS BIGINT)
  FROM activity_servers s
  JOIN activity_days a ON a.platform = s.platform AND a.day = s.day
),
once AS (
  SELECT platform, metric, server, day, max(value) AS value
  FROM told
  GROUP BY platform, metric, server, day
),
reports AS (
  SELECT
    o.platform, o.metric, o.server, o.day, o.value, n.carry_days,
    lag(o.day) OVER in_time AS day_before, lead(o.day) OVER in_time AS day_after,
    max(o.day) OVER (PARTITION BY o.platform, o.metric) AS last_day
  FROM once o
  JOIN networks n ON n.platform = o.platform
  WINDOW in_time AS (PARTITION BY o.platform, o.metric, o.server ORDER BY o.day)
),
reported AS (
  SELECT platform, metric, day, count(*) AS reported
  FROM reports
  GROUP BY platform, metric, day
),
carried AS (
  SELECT platform, metric, day, count(*) AS carried, sum(CAST(value AS DECIMAL(38, 0))) AS carried_value
  FROM (
    SELECT
      platform, metric, value,
      unnest(generate_series(day + 1, least(coalesce(day_after - 1, last_day), CAST(day + carry_days AS DATE)), INTERVAL '1 day')) AS day
    FROM reports
    WHERE carry_days > 0 AND value IS NOT NULL
  )
  GROUP BY platform, metric, day
),
-- A server comes with its first report after a long silence, and has left 31 days after its last.
comings AS (
  SELECT platform, metric, day, CAST(1 AS BIGINT) AS change
  FROM reports
  WHERE day_before IS NULL OR day - day_before > 31
  UNION ALL
  SELECT platform, metric, day + 31, CAST(-1 AS BIGINT)
  FROM reports
  WHERE day_after IS NULL OR day_after - day > 31
  UNION ALL
  SELECT platform, metric, day, CAST(0 AS BIGINT)
  FROM carried
),
known AS (
  SELECT platform, metric, day, sum(change) OVER (PARTITION BY platform, metric ORDER BY day) AS known
  FROM (
    SELECT platform, metric, day, sum(change) AS change
    FROM (
      SELECT platform, metric, day, change FROM comings
      UNION ALL
      SELECT platform, metric, day, CAST(0 AS BIGINT) FROM reported
    )
    GROUP BY platform, metric, day
  )
)
SELECT
  k.platform, k.metric, k.day, coalesce(r.reported, 0) AS reported, k.known,
  coalesce(c.carried, 0) AS carried, coalesce(c.carried_value, 0) AS carried_value
FROM known k
LEFT JOIN reported r ON r.platform = k.platform AND r.metric = k.metric AND r.day = k.day
LEFT JOIN carried c ON c.platform = k.platform AND c.metric = k.metric AND c.day = k.day
WHERE r.reported > 0 OR c.carried > 0
