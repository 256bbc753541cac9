--- How many of those who came are active again, day by day after they came: all day cohorts pooled.
--- A user's day is that of the signup where it is known, else of the first activity ever. Those who signed up before the loaded
--- history are left out, and so are users without a known signup who are first seen on the first loaded day or after a gap: they may
--- have come before. eligible: the users for whom the day is covered and over, so that each had the chance; retained: of
--- those, active on exactly that day. Cohorts are pooled by users, not by averaging their rates. A user who signed up and never
--- came counts as eligible. By a dimension users count under the value of the day they came (of several values the first in byte
--- order), who was not active on it under the empty one; they are retained wherever they are active. The values add up to
--- `all_eligible` and `all_retained`. Where a month is given: the cohorts of its days and of the two months before it.
--! params:  platform TEXT, max_age BIGINT = 30, dimension TEXT = '', from DATE = null, to DATE = null, month DATE = null
--! columns: age BIGINT, dimension_value TEXT, eligible BIGINT, retained BIGINT, rate DOUBLE, cohorts BIGINT, all_eligible BIGINT, all_retained BIGINT, mark TEXT
--! grain:   age, dimension_value
--! assert:  retained >= 0 AND retained <= eligible
--! assert:  sum(eligible) OVER (PARTITION BY age) = all_eligible
--! assert:  sum(retained) OVER (PARTITION BY age) = all_retained
--! chart:   curve x=age y=rate mark=mark series=dimension_value weight=eligible x_title="days since the first"
--! finding: {% set week = rows|selectattr("age", "equalto", 7)|list|sort(attribute="eligible")|reverse|list %}{% if week %}{% set month = rows|selectattr("age", "equalto", 30)|selectattr("dimension_value", "equalto", week[0].dimension_value)|list %}{{ params.platform }}: {{ week[0].rate|pct }}{% if params.dimension %} of {{ week[0].dimension_value or "not known" }}{% endif %} are active on the 7th day after they came{% if month %}, {{ month[0].rate|pct }} on the 30th{% endif %}{% else %}No cohort is a week old{% endif %}
--! subtitle: users active on the day / users who had the chance; all day cohorts pooled{% if params.dimension %}, by {{ params.dimension }} of the day they came{% endif %}
--! report:  section=activity order=61
--! privacy: eligible, retained, all_eligible, all_retained
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
arrivals AS (
  SELECT m.bucket, m.day, m.users
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
-- Whom each value takes on a day.
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
      AND ($to IS NULL OR day <= CAST($to AS DATE))
  )
  GROUP BY day, bucket, dimension_value
),
-- By a dimension the undivided cohorts (without a value) stand beside their parts, for these to add up to.
members AS (
  SELECT CASE WHEN $dimension = '' THEN '' END AS dimension_value, bucket, day, users, bitmap_count(users) AS size
  FROM arrivals
  UNION ALL
  SELECT t.dimension_value, a.bucket, a.day, bitmap_and(a.users, t.users), bitmap_and_count(a.users, t.users)
  FROM arrivals a
  JOIN taken t ON t.day = a.day AND t.bucket = a.bucket
  WHERE $dimension <> ''
  UNION ALL
  SELECT '', a.bucket, a.day, bitmap_andnot(a.users, d.users), bitmap_andnot_count(a.users, d.users)
  FROM arrivals a
  LEFT JOIN active d ON d.platform = $platform AND d.dimension = '' AND d.day = a.day AND d.bucket = a.bucket
  WHERE $dimension <> ''
),
cells AS (
  SELECT m.dimension_value, m.day, c.day - m.day AS age, m.size, bitmap_and_count(m.users, a.users) AS retained
  FROM members m
  JOIN calendar c ON c.day >= m.day AND c.day <= m.day + CAST($max_age AS BIGINT)
  LEFT JOIN active a ON a.platform = $platform AND a.dimension = '' AND a.day = c.day AND a.bucket = m.bucket
  WHERE c.covered AND m.size > 0
)
SELECT age, dimension_value, eligible, retained, rate, cohorts, all_eligible, all_retained, 'computed' AS mark
FROM (
  SELECT
    age, dimension_value, eligible, retained, round(CAST(retained AS DOUBLE) / nullif(eligible, 0), 6) AS rate, cohorts,
    max(CASE WHEN dimension_value IS NULL OR $dimension = '' THEN eligible END) OVER (PARTITION BY age) AS all_eligible,
    max(CASE WHEN dimension_value IS NULL OR $dimension = '' THEN retained END) OVER (PARTITION BY age) AS all_retained
  FROM (
    SELECT age, dimension_value, sum(size) AS eligible, sum(retained) AS retained, count(DISTINCT day) AS cohorts
    FROM cells
    GROUP BY age, dimension_value
  )
)
WHERE dimension_value IS NOT NULL
ORDER BY age, dimension_value
