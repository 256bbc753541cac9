--- Active users of calendar weeks, months, quarters or years: distinct users in each.
--- By a dimension users count under the value of their last active day in the period (of several values on
--- that day the first in byte order), so the values add up to `all_users`; a value stands where it has
--- users. `unfinished`: not every day of the period is covered by a load, or it is not over, so that the figure is
--- at least this; without one covered day there is none.
--! params:  platform TEXT, by TEXT = month, dimension TEXT = '', from DATE = null, to DATE = null
--! columns: period DATE, dimension_value TEXT, users BIGINT, all_users BIGINT, mark TEXT
--! grain:   period, dimension_value
--! assert:  sum(users) OVER (PARTITION BY period) = all_users
--! chart:   line x=period y=users series=dimension_value mark=mark
--! finding: {% set known = rows|selectattr("mark", "equalto", "computed")|list %}{% if known %}{{ params.platform }}: {{ known[-1].all_users|short }} active users in {% if params.by == "month" %}{{ known[-1].period|month }}{% else %}the {{ params.by }} that began on {{ known[-1].period|day }}{% endif %}{% else %}No {{ params.by }} is fully covered{% endif %}
--! subtitle: distinct users of each calendar {{ params.by }}{% if params.dimension %}, by {{ params.dimension }} of the last active day{% endif %}
--! report:  none
--! privacy: users, all_users
WITH calendar AS (
  SELECT
    period_start(day, $by) AS period, bool_or(covered) AS known,
    bool_and(covered) AND min(day) = period_start(min(day), $by)
      AND period_start(max(day) + 1, $by) > max(day) AS whole
  FROM activity_span
  WHERE platform = $platform AND ($to IS NULL OR day <= CAST($to AS DATE))
  GROUP BY period_start(day, $by)
),
totals AS (
  SELECT period, sum(users) AS users
  FROM (
    SELECT period_start(day, $by) AS period, bucket, bitmap_union_count(users) AS users
    FROM activity
    WHERE platform = $platform AND event = 'active' AND dimension = ''
      AND ($to IS NULL OR day <= CAST($to AS DATE)) AND ($from IS NULL OR day >= period_start(CAST($from AS DATE), $by))
    GROUP BY period_start(day, $by), bucket
  )
  GROUP BY period
),
-- From the period's last day back: a user counts where seen first.
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
      AND ($to IS NULL OR day <= CAST($to AS DATE)) AND ($from IS NULL OR day >= period_start(CAST($from AS DATE), $by))
  )
),
by_value AS (
  SELECT period, dimension_value, sum(users) AS users
  FROM (
    SELECT period, bucket, dimension_value, bitmap_union_count(users) AS users
    FROM last_values
    GROUP BY period, bucket, dimension_value
  )
  WHERE users > 0
  GROUP BY period, dimension_value
)
SELECT
  c.period, coalesce(v.dimension_value, '') AS dimension_value,
  CASE WHEN c.known THEN coalesce(CASE WHEN $dimension = '' THEN t.users ELSE v.users END, 0) END AS users,
  CASE WHEN c.known THEN coalesce(t.users, 0) END AS all_users,
  CASE WHEN c.whole THEN 'computed' ELSE 'unfinished' END AS mark
FROM calendar c
LEFT JOIN totals t ON t.period = c.period
LEFT JOIN by_value v ON v.period = c.period
WHERE $from IS NULL OR c.period >= period_start(CAST($from AS DATE), $by)
ORDER BY c.period, dimension_value
