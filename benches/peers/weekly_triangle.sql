--- Weekly retention with the first loaded week as a cohort too, as the peers count it.
--- essor's own `retention` leaves that cohort out, since its users may have come before.
--! params:  platform TEXT
--! columns: cohort DATE, week BIGINT, users BIGINT
--! grain:   cohort, week
--! report:  none
WITH weeks AS (
  SELECT bucket, period_start(day, 'week') AS week, bitmap_union(users) AS users
  FROM activity
  WHERE platform = $platform AND event = 'active' AND dimension = ''
  GROUP BY bucket, period_start(day, 'week')
),
cohorts AS (
  SELECT
    bucket, week,
    bitmap_andnot(users, bitmap_union(users) OVER (PARTITION BY bucket ORDER BY week ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS users
  FROM weeks
)
SELECT c.week AS cohort, CAST((w.week - c.week) / 7 AS BIGINT) AS week, sum(bitmap_and_count(c.users, w.users)) AS users
FROM cohorts c
JOIN weeks w ON w.bucket = c.bucket AND w.week >= c.week
GROUP BY c.week, w.week
ORDER BY cohort, week
