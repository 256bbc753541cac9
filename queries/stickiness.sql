--- How much of a month's users a day brings: the mean DAU over the window of the MAU, divided by the MAU.
--- stickiness = mean_dau / mau, both over the `window` days that end on the day; the mean runs over the days that
--- are covered, silent ones too. `unfinished`: not every day of the window is covered. Where a month is given: that
--- month and the two before it.
--! params:  platform TEXT, window BIGINT = 28, from DATE = null, to DATE = null, month DATE = null
--! columns: day DATE, mau BIGINT, mean_dau DOUBLE, days BIGINT, stickiness DOUBLE, mark TEXT
--! grain:   day
--! assert:  stickiness >= 0 AND stickiness <= 1
--! assert:  mean_dau <= mau + 0.01
--! chart:   line x=day y=stickiness mark=mark
--! finding: {% set known = rows|selectattr("mark", "equalto", "computed")|rejectattr("stickiness", "none")|list %}{% if known %}{% set last = known[-1] %}{{ params.platform }}: {{ last.stickiness|pct }} of the users of {{ params.window }} days come on a day, in the mean of the days to {{ last.day|day }}{% else %}No window of {{ params.window }} days is fully covered{% endif %}
--! subtitle: mean daily users / distinct users of the {{ params.window }} days ending on each day
--! report:  section=activity order=40
--! privacy: mau, mean_dau
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
counts AS (
  SELECT day, sum(mau) AS mau, sum(dau) AS dau
  FROM (
    SELECT
      day, bitmap_rolling_count(users, CAST($window AS BIGINT)) OVER (PARTITION BY bucket ORDER BY day) AS mau, bitmap_count(users) AS dau
    FROM sets
  )
  GROUP BY day
),
-- A day counts in the windows that end on it and on the days after it.
windows AS (
  SELECT
    label AS day, max(CASE WHEN label = day THEN mau END) AS mau, sum(dau) AS users,
    sum(CASE WHEN covered THEN 1 ELSE 0 END) AS days
  FROM (
    SELECT
      unnest(generate_series(c.day, c.day + CAST($window AS BIGINT) - 1, INTERVAL '1 day')) AS label,
      c.day, c.mau, c.dau, d.covered
    FROM counts c
    JOIN days d ON d.day = c.day
  )
  GROUP BY label
)
SELECT
  day, CASE WHEN days > 0 THEN mau END AS mau, round(CAST(users AS DOUBLE) / nullif(days, 0), 2) AS mean_dau, days,
  round(CAST(users AS DOUBLE) / nullif(days, 0) / nullif(mau, 0), 4) AS stickiness,
  CASE WHEN days = CAST($window AS BIGINT) THEN 'computed' ELSE 'unfinished' END AS mark
FROM windows
WHERE mau IS NOT NULL AND day >= coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE), DATE '0001-02-01')
ORDER BY day
