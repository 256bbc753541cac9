--- Who moved from one value of a dimension to another: users active in a period and in the one before under
--- different values.
--- A user counts under the value of the last active day in each period (of several values on that day the first in byte order).
--- Moves are neither churn nor growth: `growth_accounting` counts them as moved_out of the one and moved_in to the other.
--- moved_out: all who moved away from `from_value`; moved_in: all who moved to `to_value`. `unfinished`: a day of the period
--- or of the one before is not covered, or the period is not over.
--! params:  platform TEXT, dimension TEXT = '', by TEXT = month, from DATE = null, to DATE = null
--! columns: period DATE, from_value TEXT, to_value TEXT, users BIGINT, moved_out BIGINT, moved_in BIGINT, mark TEXT
--! grain:   period, from_value, to_value
--! assert:  from_value <> to_value AND users > 0
--! assert:  sum(users) OVER (PARTITION BY period, from_value) = moved_out
--! assert:  sum(users) OVER (PARTITION BY period, to_value) = moved_in
--! finding: {% if rows %}{% set last = rows[-1].period %}{% set now = rows|selectattr("period", "equalto", last)|list %}{{ params.platform }}: most moves by {{ params.dimension }} in {% if params.by == "month" %}{{ last|month }}{% else %}the {{ params.by }} of {{ last|day }}{% endif %}: from {{ now[0].from_value or "not known" }} to {{ now[0].to_value or "not known" }}, {{ now[0].users|exact }}{% else %}No moves{% if params.dimension %} by {{ params.dimension }}{% endif %}{% endif %}
--! subtitle: users active in both periods under different values
--! report:  section=activity order=100
--! privacy: users, moved_out, moved_in
WITH calendar AS (
  SELECT
    period, whole AND coalesce(lag(whole) OVER (ORDER BY period), false) AS whole
  FROM (
    SELECT
      period_start(day, $by) AS period,
      bool_and(covered) AND min(day) = period_start(min(day), $by)
        AND period_start(max(day) + 1, $by) > max(day) AS whole
    FROM activity_span
    WHERE platform = $platform AND ($to IS NULL OR day <= CAST($to AS DATE))
    GROUP BY period_start(day, $by)
  )
),
-- From the period's last day back: a user counts under the value seen first.
last_values AS (
  SELECT
    period, bucket, dimension_value,
    bitmap_andnot(users, bitmap_union(users) OVER (
      PARTITION BY period, bucket ORDER BY day DESC, dimension_value ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )) AS users
  FROM (
    SELECT period_start(day, $by) AS period, day, bucket, dimension_value, users
    FROM activity
    WHERE platform = $platform AND event = 'active' AND dimension = $dimension AND $dimension <> ''
      AND ($to IS NULL OR day <= CAST($to AS DATE))
      AND ($from IS NULL OR day >= period_start(period_start(CAST($from AS DATE), $by) - 1, $by))
  )
),
parts AS (
  SELECT period, bucket, dimension_value, bitmap_union(users) AS users
  FROM last_values
  GROUP BY period, bucket, dimension_value
),
moves AS (
  SELECT n.period, p.dimension_value AS from_value, n.dimension_value AS to_value, sum(bitmap_and_count(p.users, n.users)) AS users
  FROM parts n
  JOIN parts p ON p.bucket = n.bucket AND p.period = period_start(n.period - 1, $by)
  WHERE p.dimension_value <> n.dimension_value
  GROUP BY n.period, p.dimension_value, n.dimension_value
)
SELECT
  m.period, m.from_value, m.to_value, m.users,
  sum(m.users) OVER (PARTITION BY m.period, m.from_value) AS moved_out,
  sum(m.users) OVER (PARTITION BY m.period, m.to_value) AS moved_in,
  CASE WHEN c.whole THEN 'computed' ELSE 'unfinished' END AS mark
FROM moves m
JOIN calendar c ON c.period = m.period
WHERE m.users > 0 AND ($from IS NULL OR m.period >= period_start(CAST($from AS DATE), $by))
ORDER BY m.period, m.users DESC, m.from_value, m.to_value
