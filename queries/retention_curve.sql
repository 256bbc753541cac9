--- How many of those who came are active again, day by day after they came: all day cohorts pooled.
--- A user's day is that of the signup where it is known, else of the first activity ever. Those who signed up before the loaded
--- history are left out, and so are users without a known signup who are first seen on the first loaded day or after a gap: they may
--- have come before. eligible: the users for whom the day is covered and over, so that each had the chance; retained: of
--- those, active on exactly that day. Cohorts are pooled by users, not by averaging their rates. A user who signed up and never
--- came counts as eligible. Where a month is given: the cohorts of its days and of the two months before it.
--! params:  platform TEXT, max_age BIGINT = 30, from DATE = null, to DATE = null, month DATE = null
--! columns: age BIGINT, eligible BIGINT, retained BIGINT, rate DOUBLE, cohorts BIGINT, mark TEXT
--! grain:   age
--! assert:  retained >= 0 AND retained <= eligible
--! chart:   curve x=age y=rate mark=mark x_title="days since the first"
--! finding: {% set week = rows|selectattr("age", "equalto", 7)|list %}{% set month = rows|selectattr("age", "equalto", 30)|list %}{% if week %}{{ params.platform }}: {{ week[0].rate|pct }} are active on the 7th day after they came{% if month %}, {{ month[0].rate|pct }} on the 30th{% endif %}{% else %}No cohort is a week old{% endif %}
--! subtitle: users active on the day / users who had the chance; all day cohorts pooled
--! report:  section=activity order=61
--! privacy: eligible, retained
WITH calendar AS (
  SELECT
    day, covered, first_day, NOT coalesce(lag(covered) OVER (ORDER BY day), false) AS opening
  FROM activity_span
  WHERE platform = $platform AND ($to IS NULL OR day <= CAST($to AS DATE))
),
signed_up AS (
  SELECT
    bucket, day,
    bitmap_andnot(users, bitmap_union(users) OVER (PARTITION BY bucket ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS users
  FROM (
    SELECT bucket, day, bitmap_union(users) AS users
    FROM activity
    WHERE platform = $platform AND event = 'signup' AND ($to IS NULL OR day <= CAST($to AS DATE))
    GROUP BY bucket, day
  )
),
known AS (
  SELECT bucket, bitmap_union(users) AS users
  FROM signed_up
  GROUP BY bucket
),
first_seen AS (
  SELECT
    bucket, day,
    bitmap_andnot(users, bitmap_union(users) OVER (PARTITION BY bucket ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS users
  FROM active
  WHERE platform = $platform AND dimension = '' AND ($to IS NULL OR day <= CAST($to AS DATE))
),
members AS (
  SELECT m.bucket, m.day, m.users, bitmap_count(m.users) AS size
  FROM (
    SELECT bucket, day, users, false AS by_activity FROM signed_up
    UNION ALL
    SELECT f.bucket, f.day, bitmap_andnot(f.users, k.users), true
    FROM first_seen f
    LEFT JOIN known k ON k.bucket = f.bucket
  ) AS m
  JOIN calendar c ON c.day = m.day
  WHERE NOT (m.by_activity AND c.opening) AND m.day >= c.first_day
    AND m.day >= coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE), DATE '0001-01-01')
),
cells AS (
  SELECT m.day, c.day - m.day AS age, m.size, bitmap_and_count(m.users, a.users) AS retained
  FROM members m
  JOIN calendar c ON c.day >= m.day AND c.day <= m.day + CAST($max_age AS BIGINT)
  LEFT JOIN active a ON a.platform = $platform AND a.dimension = '' AND a.day = c.day AND a.bucket = m.bucket
  WHERE c.covered AND m.size > 0
)
SELECT
  age, sum(size) AS eligible, sum(retained) AS retained,
  round(CAST(sum(retained) AS DOUBLE) / nullif(sum(size), 0), 6) AS rate,
  count(DISTINCT day) AS cohorts, 'computed' AS mark
FROM cells
GROUP BY age
ORDER BY age
