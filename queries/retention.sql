--- Who comes back: of each cohort the share that is active again, by age.
--- A user's cohort is the day, week or month of the signup where it is known, else of the first activity ever. Those who signed up
--- before the loaded history are in no cohort, and neither are users without a known signup who are first seen in the first
--- loaded period, or in one after a period without a covered day: they may have come before.
--- kind n_day: active in the period exactly `age` periods after the cohort's (a day cohort: on day n); unbounded: in that
--- period or later, which later days may still raise; bracket: active between `bracket_from` and `bracket_to` days after the user's own
--- day, both included (age is `bracket_from`, in days). eligible: the users who have had the chance: a period with no covered
--- day has no row, and a bracket counts only the users for whom all its days are covered.
--- rate = retained / eligible. The rows without a cohort pool the finished cells of an age: sum of retained / sum of eligible.
--- By a dimension a cohort's users count under the value of their last active day in the cohort's period (of several values on that
--- day the first in byte order), who signed up and was not active in it under the empty one; they are retained wherever they
--- are active. The values add up to `all_eligible` and `all_retained`.
--- `unfinished`: a day of the cohort's period or of the days looked at is not covered, or they are not over.
--! params:  platform TEXT, cohort TEXT = week, kind TEXT = n_day, max_age BIGINT = 30, dimension TEXT = '', bracket_from BIGINT = 1, bracket_to BIGINT = 7, from DATE = null, to DATE = null
--! columns: cohort DATE, age BIGINT, dimension_value TEXT, eligible BIGINT, retained BIGINT, rate DOUBLE, all_eligible BIGINT, all_retained BIGINT, mark TEXT
--! grain:   cohort, age, dimension_value
--! assert:  retained >= 0 AND retained <= eligible
--! assert:  abs(rate * eligible - retained) <= 0.000001 * eligible
--! assert:  cohort IS NOT NULL OR sum(CASE WHEN cohort IS NOT NULL AND mark = 'computed' THEN retained ELSE 0 END) OVER (PARTITION BY age, dimension_value) = retained
--! assert:  cohort IS NOT NULL OR sum(CASE WHEN cohort IS NOT NULL AND mark = 'computed' THEN eligible ELSE 0 END) OVER (PARTITION BY age, dimension_value) = eligible
--! assert:  sum(eligible) OVER (PARTITION BY cohort, age) = all_eligible
--! assert:  sum(retained) OVER (PARTITION BY cohort, age) = all_retained
--! chart:   heat x=age y=cohort value=rate count=eligible mark=mark series=dimension_value
--! finding: {% set pooled = rows|selectattr("cohort", "none")|selectattr("age", "gt", 0)|list %}{% if pooled %}{% set first = pooled[0].age %}{% set told = (pooled|selectattr("age", "equalto", first)|list|sort(attribute="eligible"))[-1] %}{{ params.platform }}: {{ told.rate|pct }} {% if params.dimension %}of {{ told.dimension_value or "not known" }} {% endif %}{% if params.kind == "bracket" %}are active {{ params.bracket_from }} to {{ params.bracket_to }} days after they came{% else %}are active {{ pooled[0].age }} {{ params.cohort }}{{ "" if pooled[0].age == 1 else "s" }}{% if params.kind == "unbounded" %} or more{% endif %} after they came{% endif %}{% else %}No cohort is old enough{% endif %}
--! subtitle: users active again / users of the cohort who have had the chance; {{ params.kind }}, cohorts by {{ params.cohort }}{% if params.dimension %}, by {{ params.dimension }} when they came{% endif %}
--! report:  section=activity order=60
--! privacy: eligible, retained, all_eligible, all_retained
WITH calendar AS (
  SELECT
    period, known, whole,
    -- Nothing is known of the period before: who is first seen here may have come before.
    NOT coalesce(lag(known) OVER upward, false) AS opening,
    -- From here to the last day there is no gap.
    sum(gaps) OVER (ORDER BY period DESC) = 0 AS unbroken,
    CAST(row_number() OVER upward AS BIGINT) AS number
  FROM (
    SELECT
      period_start(day, $cohort) AS period, bool_or(covered) AS known, sum(CASE WHEN covered THEN 0 ELSE 1 END) AS gaps,
      bool_and(covered) AND min(day) = period_start(min(day), $cohort)
        AND period_start(max(day) + 1, $cohort) > max(day) AS whole
    FROM activity_span
    WHERE platform = $platform AND ($to IS NULL OR day <= CAST($to AS DATE))
    GROUP BY period_start(day, $cohort)
  )
  WINDOW upward AS (ORDER BY period)
),
history AS (
  SELECT min(first_day) AS first_day
  FROM activity_span
  WHERE platform = $platform
),
-- A bracket counts from the user's own day, the others from the cohort's period: `start` is either.
signups AS (
  SELECT
    bucket, start, early,
    bitmap_andnot(users, bitmap_union(users) OVER (
      PARTITION BY bucket ORDER BY early DESC, start ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )) AS users
  FROM (
    SELECT
      s.bucket, s.day < h.first_day AS early,
      period_start(s.day, CASE $kind WHEN 'bracket' THEN 'day' ELSE $cohort END) AS start, bitmap_union(s.users) AS users
    FROM activity s
    CROSS JOIN history h
    WHERE s.platform = $platform AND s.event = 'signup' AND ($to IS NULL OR s.day <= CAST($to AS DATE))
    GROUP BY s.bucket, s.day < h.first_day, period_start(s.day, CASE $kind WHEN 'bracket' THEN 'day' ELSE $cohort END)
  )
),
signed_up AS (
  SELECT bucket, bitmap_union(users) AS users
  FROM activity
  WHERE platform = $platform AND event = 'signup' AND ($to IS NULL OR day <= CAST($to AS DATE))
  GROUP BY bucket
),
first_seen AS (
  SELECT
    bucket, start,
    bitmap_andnot(users, bitmap_union(users) OVER (
      PARTITION BY bucket ORDER BY start ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )) AS users
  FROM (
    SELECT
      bucket, period_start(day, CASE $kind WHEN 'bracket' THEN 'day' ELSE $cohort END) AS start,
      bitmap_union(users) AS users
    FROM activity
    WHERE platform = $platform AND event = 'active' AND dimension = '' AND ($to IS NULL OR day <= CAST($to AS DATE))
    GROUP BY bucket, period_start(day, CASE $kind WHEN 'bracket' THEN 'day' ELSE $cohort END)
  )
),
arrivals AS (
  SELECT c.period AS cohort, c.number, c.whole, m.bucket, m.start, m.users
  FROM (
    SELECT bucket, start, users, false AS by_activity FROM signups WHERE NOT early
    UNION ALL
    SELECT f.bucket, f.start, CASE WHEN s.users IS NULL THEN f.users ELSE bitmap_andnot(f.users, s.users) END, true
    FROM first_seen f
    LEFT JOIN signed_up s ON s.bucket = f.bucket
  ) AS m
  JOIN calendar c ON c.period = period_start(m.start, $cohort)
  WHERE NOT (m.by_activity AND c.opening) AND ($from IS NULL OR c.period >= period_start(CAST($from AS DATE), $cohort))
),
-- From the last day of a cohort's period back: a user counts under the value seen first.
last_values AS (
  SELECT cohort, bucket, dimension_value, bitmap_union(users) AS users
  FROM (
    SELECT
      cohort, bucket, dimension_value,
      bitmap_andnot(users, bitmap_union(users) OVER (
        PARTITION BY cohort, bucket ORDER BY day DESC, dimension_value ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      )) AS users
    FROM (
      SELECT period_start(day, $cohort) AS cohort, day, bucket, dimension_value, users
      FROM activity
      WHERE platform = $platform AND event = 'active' AND dimension = $dimension AND $dimension <> ''
        AND ($to IS NULL OR day <= CAST($to AS DATE))
    )
  )
  GROUP BY cohort, bucket, dimension_value
),
-- By a dimension the undivided cohorts (without a value) stand beside their parts, for these to add up to.
members AS (
  SELECT CASE WHEN $dimension = '' THEN '' END AS dimension_value, cohort, number, whole, bucket, start, users, bitmap_count(users) AS size
  FROM arrivals
  UNION ALL
  SELECT v.dimension_value, a.cohort, a.number, a.whole, a.bucket, a.start, bitmap_and(a.users, v.users), bitmap_and_count(a.users, v.users)
  FROM arrivals a
  JOIN last_values v ON v.cohort = a.cohort AND v.bucket = a.bucket
  WHERE $dimension <> ''
  UNION ALL
  SELECT
    '', a.cohort, a.number, a.whole, a.bucket, a.start, bitmap_andnot(a.users, v.users), bitmap_andnot_count(a.users, v.users)
  FROM arrivals a
  LEFT JOIN (SELECT cohort, bucket, bitmap_union(users) AS users FROM last_values GROUP BY cohort, bucket) AS v
    ON v.cohort = a.cohort AND v.bucket = a.bucket
  WHERE $dimension <> ''
),
-- Whom the cohorts are held against: who was active in a period,
periods AS (
  SELECT period_start(day, $cohort) AS period, bucket, bitmap_union(users) AS users
  FROM activity
  WHERE platform = $platform AND event = 'active' AND dimension = '' AND $kind <> 'bracket'
    AND ($to IS NULL OR day <= CAST($to AS DATE))
  GROUP BY period_start(day, $cohort), bucket
),
-- in a period or later (with a row for every period of a bucket),
onwards AS (
  SELECT
    c.period, b.bucket,
    bitmap_union(p.users) OVER (PARTITION BY b.bucket ORDER BY c.period DESC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS users
  FROM calendar c
  CROSS JOIN (SELECT DISTINCT bucket FROM activity WHERE platform = $platform AND event = 'active') AS b
  LEFT JOIN periods p ON p.period = c.period AND p.bucket = b.bucket
  WHERE $kind = 'unbounded'
),
-- or on the days of a bracket that ends on a day.
brackets AS (
  SELECT
    d.day, b.bucket, d.last_gap,
    bitmap_rolling_union(a.users, CAST($bracket_to AS BIGINT) - CAST($bracket_from AS BIGINT) + 1) OVER (PARTITION BY b.bucket ORDER BY d.day) AS users
  FROM (
    SELECT day, coalesce(max(CASE WHEN NOT covered THEN day END) OVER (ORDER BY day), first_day - 1) AS last_gap
    FROM activity_span
    WHERE platform = $platform AND ($to IS NULL OR day <= CAST($to AS DATE))
  ) AS d
  CROSS JOIN (SELECT DISTINCT bucket FROM activity WHERE platform = $platform) AS b
  LEFT JOIN active a ON a.platform = $platform AND a.dimension = '' AND a.day = d.day AND a.bucket = b.bucket
  WHERE $kind = 'bracket'
),
cells AS (
  SELECT
    m.dimension_value, m.cohort, t.number - m.number AS age, m.size, bitmap_and_count(m.users, p.users) AS retained,
    m.whole AND t.whole AS finished
  FROM members m
  JOIN calendar t ON t.number >= m.number AND t.number <= m.number + CAST($max_age AS BIGINT)
  LEFT JOIN periods p ON p.period = t.period AND p.bucket = m.bucket
  WHERE $kind = 'n_day' AND t.known AND m.size > 0
  UNION ALL
  SELECT
    m.dimension_value, m.cohort, t.number - m.number, m.size, bitmap_and_count(m.users, p.users),
    m.whole AND t.whole AND t.unbroken
  FROM members m
  JOIN calendar t ON t.number >= m.number AND t.number <= m.number + CAST($max_age AS BIGINT)
  LEFT JOIN onwards p ON p.period = t.period AND p.bucket = m.bucket
  WHERE $kind = 'unbounded' AND t.known AND m.size > 0
  UNION ALL
  SELECT
    m.dimension_value, m.cohort, CAST($bracket_from AS BIGINT), CASE WHEN b.last_gap < m.start + CAST($bracket_from AS BIGINT) THEN m.size ELSE 0 END,
    CASE WHEN b.last_gap < m.start + CAST($bracket_from AS BIGINT) THEN bitmap_and_count(m.users, b.users) ELSE 0 END,
    m.whole AND coalesce(b.last_gap < m.start + CAST($bracket_from AS BIGINT), false)
  FROM members m
  LEFT JOIN brackets b ON b.bucket = m.bucket AND b.day = m.start + CAST($bracket_to AS BIGINT)
  WHERE $kind = 'bracket' AND m.size > 0
),
-- A value's cell is finished when its whole cohort's is, so that the pools of the values add up too.
whole_cells AS (
  SELECT cohort, age, bool_and(finished) AS finished
  FROM cells
  GROUP BY cohort, age
),
table_of_cells AS (
  SELECT
    c.dimension_value, c.cohort, c.age, sum(c.size) AS eligible, sum(c.retained) AS retained, bool_and(w.finished) AS finished
  FROM cells c
  JOIN whole_cells w ON w.cohort = c.cohort AND w.age = c.age
  GROUP BY c.dimension_value, c.cohort, c.age
),
pooled AS (
  SELECT dimension_value, cohort, age, eligible, retained, finished
  FROM table_of_cells
  UNION ALL
  SELECT dimension_value, NULL, age, sum(eligible), sum(retained), true
  FROM table_of_cells
  WHERE finished
  GROUP BY dimension_value, age
)
SELECT
  cohort, age, dimension_value, eligible, retained, round(CAST(retained AS DOUBLE) / eligible, 6) AS rate,
  all_eligible, all_retained, CASE WHEN finished THEN 'computed' ELSE 'unfinished' END AS mark
FROM (
  SELECT
    cohort, age, dimension_value, eligible, retained, finished,
    max(CASE WHEN dimension_value IS NULL OR $dimension = '' THEN eligible END) OVER (PARTITION BY cohort, age) AS all_eligible,
    max(CASE WHEN dimension_value IS NULL OR $dimension = '' THEN retained END) OVER (PARTITION BY cohort, age) AS all_retained
  FROM pooled
)
WHERE eligible > 0 AND dimension_value IS NOT NULL
ORDER BY cohort, age, dimension_value
