--- Daily, weekly and monthly active users, day by day.
--- dau: of the day; wau_7d, mau_28d and mau_30d: of the 7, 28 and 30 days that end on the day; mau_month: of the calendar
--- month so far, so that of the month's last day it is the month's. Each has its own window: they are never compared as if
--- one. `unfinished`: not every day of the window (for mau_month of the month up to the day) is covered, so that the figure is
--- at least this; without one covered day there is none. Where a month is given: that month and the two before it.
--! params:  platform TEXT, month DATE = null, from DATE = null, to DATE = null
--! columns: day DATE, metric TEXT, users BIGINT, mark TEXT
--! grain:   day, metric
--! assert:  users >= 0
--! chart:   line x=day y=users series=metric mark=mark
--! finding: {% set month = rows|selectattr("metric", "equalto", "mau_30d")|selectattr("mark", "equalto", "computed")|list %}{% set day = rows|selectattr("metric", "equalto", "dau")|selectattr("mark", "equalto", "computed")|list %}{% if month %}{{ params.platform }}: {{ month[-1].users|short }} active users in the 30 days to {{ month[-1].day|day }}{% elif day %}{{ params.platform }}: {{ day[-1].users|short }} active users on {{ day[-1].day|day }}{% else %}No day is covered{% endif %}
--! subtitle: distinct users of the day, of the 7, 28 and 30 days ending on it, and of the calendar month so far
--! report:  section=activity order=10
--! privacy: users
WITH history AS (
  SELECT
    day,
    day - max(CASE WHEN covered THEN day END) OVER so_far AS since_covered,
    day - coalesce(max(CASE WHEN NOT covered THEN day END) OVER so_far, first_day - 1) AS covered_days
  FROM activity_span
  WHERE platform = $platform AND day <= coalesce(CAST($to AS DATE), CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE), DATE '9999-12-31')
  WINDOW so_far AS (ORDER BY day)
),
-- The longest window, and the month's first day, reach at most 30 days back.
days AS (
  SELECT day
  FROM history
  WHERE day > coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE), DATE '0001-02-01') - 31
),
sets AS (
  SELECT d.day, b.bucket, a.users
  FROM days d
  CROSS JOIN (SELECT DISTINCT bucket FROM activity WHERE platform = $platform AND event = 'active' AND dimension = '') AS b
  LEFT JOIN (
    SELECT day, bucket, users
    FROM active
    WHERE platform = $platform AND dimension = ''
      AND day > coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE), DATE '0001-02-01') - 31
      AND day <= coalesce(CAST($to AS DATE), CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE), DATE '9999-12-31')
  ) AS a ON a.day = d.day AND a.bucket = b.bucket
),
windows AS (
  SELECT
    day, bitmap_count(users) AS dau,
    bitmap_rolling_count(users, 7) OVER upward AS wau_7d,
    bitmap_rolling_count(users, 28) OVER upward AS mau_28d,
    bitmap_rolling_count(users, 30) OVER upward AS mau_30d,
    bitmap_union_count(users) OVER (
      PARTITION BY bucket, period_start(day, 'month') ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS mau_month
  FROM sets
  WINDOW upward AS (PARTITION BY bucket ORDER BY day)
),
counts AS (
  SELECT day, sum(dau) AS dau, sum(wau_7d) AS wau_7d, sum(mau_28d) AS mau_28d, sum(mau_30d) AS mau_30d, sum(mau_month) AS mau_month
  FROM windows
  GROUP BY day
),
-- One metric a row, with the days of its window.
metrics_of_days AS (
  SELECT
    h.day, m.metric, h.since_covered, h.covered_days,
    CASE m.metric WHEN 'mau_month' THEN h.day - period_start(h.day, 'month') + 1 ELSE m.width END AS width,
    CASE m.metric
      WHEN 'dau' THEN c.dau WHEN 'wau_7d' THEN c.wau_7d WHEN 'mau_28d' THEN c.mau_28d WHEN 'mau_30d' THEN c.mau_30d
      ELSE c.mau_month
    END AS users
  FROM history h
  JOIN counts c ON c.day = h.day
  CROSS JOIN (VALUES ('dau', 1), ('wau_7d', 7), ('mau_28d', 28), ('mau_30d', 30), ('mau_month', 0)) AS m (metric, width)
  WHERE h.day >= coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE), DATE '0001-02-01')
)
SELECT
  day, metric, CASE WHEN since_covered < width THEN users END AS users,
  CASE WHEN covered_days >= width THEN 'computed' ELSE 'unfinished' END AS mark
FROM metrics_of_days
ORDER BY day, metric
