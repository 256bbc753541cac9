--- A platform's figures of a day from activity, in the shape of `daily`: what `platform_days` prefers to counters.
--- dau, messages_sent and signups of every covered day, silent ones as zero; mau_28d where all its 28 days are covered;
--- mau_month on the last covered day of a month, `unfinished` unless every day of the month is covered. Messages stand
--- where those of every user of the day were counted. A query that asks for one metric plans the others away.
--! hold: yes
--! needs: activity
WITH dau AS (
  SELECT platform, day, sum(users) AS value
  FROM (
    SELECT platform, day, bucket, bitmap_union_count(users) AS users
    FROM activity
    WHERE event = 'active' AND dimension = ''
    GROUP BY platform, day, bucket
  )
  GROUP BY platform, day
),
messages AS (
  SELECT platform, day, sum(counts_sum(messages)) AS value, bool_and(messages IS NOT NULL) AS counted
  FROM activity
  WHERE event = 'active' AND dimension = ''
  GROUP BY platform, day
),
with_messages AS (
  SELECT DISTINCT platform
  FROM activity
  WHERE event = 'active' AND dimension = '' AND messages IS NOT NULL
),
-- The first signup of a user counts.
signups AS (
  SELECT platform, day, sum(users) AS value
  FROM (
    SELECT
      platform, day, bitmap_andnot_count(users, bitmap_union(users) OVER (
        PARTITION BY platform, bucket ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      )) AS users
    FROM activity
    WHERE event = 'signup'
  )
  GROUP BY platform, day
),
signup_days AS (
  SELECT DISTINCT a.platform, unnest(generate_series(l.first_day, l.last_day, INTERVAL '1 day')) AS day
  FROM (SELECT DISTINCT platform, load FROM activity WHERE event = 'signup') AS a
  JOIN loads l ON l.load = a.load
  WHERE l.first_day IS NOT NULL AND l.last_day IS NOT NULL
),
months AS (
  SELECT
    platform, period_start(day, 'month') AS month, max(CASE WHEN covered THEN day END) AS day,
    bool_and(covered) AND min(day) = period_start(min(day), 'month') AND period_start(max(day) + 1, 'month') > max(day) AS whole
  FROM activity_span
  GROUP BY platform, period_start(day, 'month')
),
mau_month AS (
  SELECT platform, month, sum(users) AS value
  FROM (
    SELECT platform, period_start(day, 'month') AS month, bucket, bitmap_union_count(users) AS users
    FROM activity
    WHERE event = 'active' AND dimension = ''
    GROUP BY platform, period_start(day, 'month'), bucket
  )
  GROUP BY platform, month
),
mau_28d AS (
  SELECT platform, day, sum(users) AS value
  FROM (
    SELECT
      s.platform, s.day, s.covered_days,
      bitmap_rolling_count(a.users, 28) OVER (PARTITION BY s.platform, b.bucket ORDER BY s.day) AS users
    FROM (
      SELECT
        platform, day,
        day - coalesce(max(CASE WHEN NOT covered THEN day END) OVER (PARTITION BY platform ORDER BY day), first_day - 1) AS covered_days
      FROM activity_span
    ) AS s
    JOIN (SELECT DISTINCT platform, bucket FROM activity WHERE event = 'active') AS b ON b.platform = s.platform
    LEFT JOIN active a ON a.platform = s.platform AND a.dimension = '' AND a.day = s.day AND a.bucket = b.bucket
  )
  WHERE covered_days >= 28
  GROUP BY platform, day
),
together AS (
  SELECT s.platform, s.day, 'dau' AS metric, coalesce(d.value, 0) AS value, '' AS flag
  FROM activity_span s
  LEFT JOIN dau d ON d.platform = s.platform AND d.day = s.day
  WHERE s.covered
  UNION ALL
  SELECT s.platform, s.day, 'messages_sent', coalesce(m.value, 0), ''
  FROM activity_span s
  JOIN with_messages w ON w.platform = s.platform
  LEFT JOIN messages m ON m.platform = s.platform AND m.day = s.day
  WHERE s.covered AND coalesce(m.counted, true)
  UNION ALL
  SELECT d.platform, d.day, 'signups', coalesce(s.value, 0), ''
  FROM signup_days d
  LEFT JOIN signups s ON s.platform = d.platform AND s.day = d.day
  UNION ALL
  SELECT platform, day, 'mau_28d', value, ''
  FROM mau_28d
  UNION ALL
  SELECT m.platform, m.day, 'mau_month', coalesce(u.value, 0), CASE WHEN m.whole THEN '' ELSE 'unfinished' END
  FROM months m
  LEFT JOIN mau_month u ON u.platform = m.platform AND u.month = m.month
  WHERE m.day IS NOT NULL
)
SELECT platform, '' AS server, day, metric, value, 'computed' AS status, flag
FROM together
