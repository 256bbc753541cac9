--- Who of a network's servers reported a metric on a day, one platform, metric and day a row: `reported` servers of
--- `known` ones. Known is a server that has reported the metric on the day or within the 30 days before it: one that is
--- silent for longer has left. A silent server is missing, never zero. Where essor.toml says `carry_forward`, a
--- server's last figure stands for so many silent days after it: `carried` servers, together `carried_value`; without
--- it both are 0.
--! needs: network
WITH reports AS (
  SELECT
    d.platform, d.metric, d.server, d.day, d.value, n.carry_days,
    lag(d.day) OVER in_time AS day_before, lead(d.day) OVER in_time AS day_after,
    max(d.day) OVER (PARTITION BY d.platform, d.metric) AS last_day
  FROM daily d
  JOIN networks n ON n.platform = d.platform
  WHERE d.dimension = '' AND d.server <> '' AND d.value IS NOT NULL
  WINDOW in_time AS (PARTITION BY d.platform, d.metric, d.server ORDER BY d.day)
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
    WHERE carry_days > 0
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
