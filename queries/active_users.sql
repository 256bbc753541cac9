--- Active users of each day: distinct users in the window of days that ends on the day.
--- Window 1 is DAU, 7 the rolling WAU, 28, 30 and 31 the rolling MAU. Every calendar day of the history stands
--- here, silent ones too. By a dimension users count under the value of their last active day in the window (of
--- several values on that day the first in byte order), so the values add up to `all_users`. `unfinished`: not
--- every day of the window is covered by a load (it begins before the history, or holds a gap), so that the
--- figure is at least this; without one covered day there is none. Where a month is given: that month and the two before it.
--! params:  platform TEXT, window BIGINT = 1, dimension TEXT = '', from DATE = null, to DATE = null, month DATE = null
--! columns: day DATE, dimension_value TEXT, users BIGINT, all_users BIGINT, mark TEXT
--! grain:   day, dimension_value
--! assert:  sum(users) OVER (PARTITION BY day) = all_users
--! assert:  users >= 0
--! chart:   line x=day y=users series=dimension_value mark=mark
--! finding: {% set known = rows|selectattr("mark", "equalto", "computed")|list %}{% if known %}{{ params.platform }}: {{ known[-1].all_users|short }} active users{% if params.window|int > 1 %} in the {{ params.window }} days to {{ known[-1].day|day }}{% else %} on {{ known[-1].day|day }}{% endif %}{% else %}No window of {{ params.window }} days is fully covered{% endif %}
--! subtitle: distinct users {% if params.window|int > 1 %}in the {{ params.window }} days ending on each day{% else %}of each day{% endif %}{% if params.dimension %}, by {{ params.dimension }} of the last active day{% endif %}
--! report:  section=activity order=12 only=by_dimension
--! privacy: users, all_users
WITH calendar AS (
  SELECT
    day,
    day - max(CASE WHEN covered THEN day END) OVER so_far < CAST($window AS BIGINT) AS known,
    day - coalesce(max(CASE WHEN NOT covered THEN day END) OVER so_far, first_day - 1) >= CAST($window AS BIGINT) AS whole
  FROM activity_span
  WHERE platform = $platform AND ($to IS NULL OR day <= CAST($to AS DATE))
  WINDOW so_far AS (ORDER BY day)
),
dau AS (
  SELECT day, sum(users) AS users
  FROM (
    SELECT day, bucket, bitmap_union_count(users) AS users
    FROM activity
    WHERE platform = $platform AND event = 'active' AND dimension = '' AND CAST($window AS BIGINT) = 1
      AND ($to IS NULL OR day <= CAST($to AS DATE)) AND (coalesce($from, $month) IS NULL OR day >= coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE)))
    GROUP BY day, bucket
  )
  GROUP BY day
),
-- A rolling window wants a row for every calendar day of a bucket. Days before `from` that its first window
-- reaches back to are read with it.
days AS (
  SELECT day
  FROM activity_span
  WHERE platform = $platform AND ($to IS NULL OR day <= CAST($to AS DATE))
    -- As a difference: of a span that can't be (from after to) the planner takes the days for constant and fails.
    AND (coalesce($from, $month) IS NULL OR day - coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE)) > 0 - CAST($window AS BIGINT))
),
buckets AS (
  SELECT DISTINCT bucket
  FROM activity
  WHERE platform = $platform AND event = 'active' AND dimension = ''
),
sets AS (
  SELECT d.day, b.bucket, a.users
  FROM days d
  CROSS JOIN buckets b
  LEFT JOIN (
    SELECT day, bucket, users
    FROM active
    WHERE platform = $platform AND dimension = '' AND (CAST($window AS BIGINT) > 1 OR $dimension <> '')
      AND ($to IS NULL OR day <= CAST($to AS DATE)) AND (coalesce($from, $month) IS NULL OR day > coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE)) - CAST($window AS BIGINT))
  ) AS a ON a.day = d.day AND a.bucket = b.bucket
),
rolling AS (
  SELECT day, sum(users) AS users
  FROM (
    SELECT day, bitmap_rolling_count(users, CAST($window AS BIGINT)) OVER (PARTITION BY bucket ORDER BY day) AS users
    FROM sets
    WHERE CAST($window AS BIGINT) > 1
  )
  GROUP BY day
),
totals AS (
  SELECT day, users FROM dau
  UNION ALL
  SELECT day, users FROM rolling
),
-- By a dimension: whom each value takes on a day, and who of them is still in the window and has not been
-- active since.
taken AS (
  SELECT day, bucket, dimension_value, bitmap_union(users) AS users
  FROM (
    SELECT
      day, bucket, dimension_value,
      bitmap_andnot(users, bitmap_union(users) OVER (
        PARTITION BY day, bucket ORDER BY dimension_value ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      )) AS users
    FROM activity
    WHERE platform = $platform AND event = 'active' AND dimension = $dimension AND $dimension <> ''
      AND ($to IS NULL OR day <= CAST($to AS DATE)) AND (coalesce($from, $month) IS NULL OR day > coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE)) - CAST($window AS BIGINT))
  )
  GROUP BY day, bucket, dimension_value
),
staying AS (
  SELECT
    day, bucket,
    bitmap_andnot(bitmap_rolling_union(users, CAST($window AS BIGINT)) OVER (PARTITION BY bucket ORDER BY day), users) AS users
  FROM sets
  WHERE $dimension <> ''
),
dimension_values AS (
  SELECT '' AS dimension_value
  WHERE $dimension = ''
  UNION ALL
  SELECT DISTINCT dimension_value
  FROM activity
  WHERE platform = $platform AND event = 'active' AND dimension = $dimension AND $dimension <> ''
    AND ($to IS NULL OR day <= CAST($to AS DATE)) AND (coalesce($from, $month) IS NULL OR day > coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE)) - CAST($window AS BIGINT))
),
by_value AS (
  SELECT day, dimension_value, sum(bitmap_count(users)) AS users
  FROM (
    SELECT
      s.day, v.dimension_value,
      bitmap_carry(t.users, s.users) OVER (PARTITION BY s.bucket, v.dimension_value ORDER BY s.day) AS users
    FROM staying s
    CROSS JOIN dimension_values v
    LEFT JOIN taken t ON t.day = s.day AND t.bucket = s.bucket AND t.dimension_value = v.dimension_value
  )
  GROUP BY day, dimension_value
)
SELECT
  c.day, v.dimension_value,
  CASE WHEN c.known THEN coalesce(CASE WHEN $dimension = '' THEN t.users ELSE p.users END, 0) END AS users,
  CASE WHEN c.known THEN coalesce(t.users, 0) END AS all_users,
  CASE WHEN c.whole THEN 'computed' ELSE 'unfinished' END AS mark
FROM calendar c
CROSS JOIN dimension_values v
LEFT JOIN totals t ON t.day = c.day
LEFT JOIN by_value p ON p.day = c.day AND p.dimension_value = v.dimension_value
WHERE coalesce($from, $month) IS NULL OR c.day >= coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE))
ORDER BY c.day, v.dimension_value
