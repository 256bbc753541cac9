--- How much of a month's users a day brings: the mean DAU over the window of the MAU, divided by the MAU.
--- stickiness = mean_dau / mau, both over the `window` days that end on the day; the mean runs over the days that
--- are covered, silent ones too. By a dimension the users of the window count under the value of their last active day in it, those of
--- a day under that day's (of several values the first in byte order): both add up, to `all_mau` and `all_mean_dau`, and a value
--- that users moved away from may stand above 1. `unfinished`: not every day of the window is covered. Where a month is given: that
--- month and the two before it.
--! params:  platform TEXT, window BIGINT = 28, dimension TEXT = '', from DATE = null, to DATE = null, month DATE = null
--! columns: day DATE, dimension_value TEXT, mau BIGINT, mean_dau DOUBLE, days BIGINT, stickiness DOUBLE, all_mau BIGINT, all_mean_dau DOUBLE, mark TEXT
--! grain:   day, dimension_value
--! assert:  stickiness >= 0
--! assert:  dimension_value <> '' OR mau <> all_mau OR stickiness <= 1
--! assert:  sum(mau) OVER (PARTITION BY day) = all_mau
--! assert:  abs(sum(mean_dau) OVER (PARTITION BY day) - all_mean_dau) <= 0.01 * count(*) OVER (PARTITION BY day)
--! assert:  all_mean_dau <= all_mau + 0.01
--! chart:   line x=day y=stickiness mark=mark series=dimension_value weight=mau
--! finding: {% set known = rows|selectattr("mark", "equalto", "computed")|rejectattr("stickiness", "none")|list %}{% if known %}{% set latest = known[-1].day %}{% set last = (known|selectattr("day", "equalto", latest)|list|sort(attribute="mau"))[-1] %}{{ params.platform }}: {{ last.stickiness|pct }} of the users{% if params.dimension %} of {{ last.dimension_value or "not known" }}{% endif %} of {{ params.window }} days come on a day, in the mean of the days to {{ last.day|day }}{% else %}No window of {{ params.window }} days is fully covered{% endif %}
--! subtitle: mean daily users / distinct users of the {{ params.window }} days ending on each day{% if params.dimension %}, by {{ params.dimension }}{% endif %}
--! report:  section=activity order=40
--! privacy: mau, mean_dau, all_mau, all_mean_dau
WITH days AS (
  SELECT day, covered
  FROM activity_span
  WHERE platform = $platform
    AND day > coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE), DATE '0001-02-01') - CAST($window AS BIGINT)
    AND day <= coalesce(CAST($to AS DATE), CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE), DATE '9999-12-31')
),
sets AS (
  SELECT d.day, b.bucket, a.users
  FROM days d
  CROSS JOIN (SELECT DISTINCT bucket FROM activity WHERE platform = $platform AND event = 'active' AND dimension = '') AS b
  LEFT JOIN (
    SELECT day, bucket, users
    FROM active
    WHERE platform = $platform AND dimension = ''
      AND day > coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE), DATE '0001-02-01') - CAST($window AS BIGINT)
      AND day <= coalesce(CAST($to AS DATE), CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE), DATE '9999-12-31')
  ) AS a ON a.day = d.day AND a.bucket = b.bucket
),
totals AS (
  SELECT day, sum(mau) AS mau, sum(dau) AS dau
  FROM (
    SELECT
      day, bitmap_rolling_count(users, CAST($window AS BIGINT)) OVER (PARTITION BY bucket ORDER BY day) AS mau, bitmap_count(users) AS dau
    FROM sets
  )
  GROUP BY day
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
      AND day > coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE), DATE '0001-02-01') - CAST($window AS BIGINT)
      AND day <= coalesce(CAST($to AS DATE), CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE), DATE '9999-12-31')
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
counts AS (
  SELECT day, '' AS dimension_value, mau, dau
  FROM totals
  WHERE $dimension = ''
  UNION ALL
  SELECT day, dimension_value, sum(bitmap_count(users)), sum(dau)
  FROM (
    SELECT
      s.day, v.dimension_value, bitmap_count(t.users) AS dau,
      bitmap_carry(t.users, s.users) OVER (PARTITION BY s.bucket, v.dimension_value ORDER BY s.day) AS users
    FROM staying s
    CROSS JOIN (SELECT DISTINCT dimension_value FROM taken WHERE bitmap_count(users) > 0) AS v
    LEFT JOIN taken t ON t.day = s.day AND t.bucket = s.bucket AND t.dimension_value = v.dimension_value
  )
  GROUP BY day, dimension_value
),
-- A day counts in the windows that end on it and on the days after it.
windows AS (
  SELECT
    label AS day, dimension_value, max(CASE WHEN label = day THEN mau END) AS mau, sum(dau) AS users,
    max(CASE WHEN label = day THEN all_mau END) AS all_mau, sum(all_dau) AS all_users,
    sum(CASE WHEN covered THEN 1 ELSE 0 END) AS days
  FROM (
    SELECT
      unnest(generate_series(c.day, c.day + CAST($window AS BIGINT) - 1, INTERVAL '1 day')) AS label,
      c.day, c.dimension_value, c.mau, c.dau, t.mau AS all_mau, t.dau AS all_dau, d.covered
    FROM counts c
    JOIN days d ON d.day = c.day
    JOIN totals t ON t.day = c.day
  )
  GROUP BY label, dimension_value
)
SELECT
  day, dimension_value, CASE WHEN days > 0 THEN mau END AS mau,
  round(CAST(coalesce(users, 0) AS DOUBLE) / nullif(days, 0), 2) AS mean_dau, days,
  round(CAST(coalesce(users, 0) AS DOUBLE) / nullif(days, 0) / nullif(mau, 0), 4) AS stickiness,
  CASE WHEN days > 0 THEN all_mau END AS all_mau, round(CAST(coalesce(all_users, 0) AS DOUBLE) / nullif(days, 0), 2) AS all_mean_dau,
  CASE WHEN days = CAST($window AS BIGINT) THEN 'computed' ELSE 'unfinished' END AS mark
FROM windows
-- A value stands where it has users in the window.
WHERE mau IS NOT NULL AND ($dimension = '' OR mau > 0 OR users > 0) AND day >= coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE), DATE '0001-02-01')
ORDER BY day, dimension_value
