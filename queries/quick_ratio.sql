--- How many active users came for each that left: the quick ratio of each day, week or month.
--- quick_ratio = gained / churned. gained = new + resurrected: active in the period, not in the one before; churned: active
--- in the one before, not in this. It needs no history but the period before. None where nobody left, or where the
--- period or the one before is not covered in full: who may still come would count as gone. `unfinished`: a day of either is not covered, or the
--- period is not over.
--- By a dimension users count under the value of their last active day in the period (of several values on that day the first in
--- byte order); who is active in both under different values moved, neither gained nor churned. The values add up to `all_active`.
--- Where a month is given: from five months before it on.
--! params:  platform TEXT, by TEXT = week, dimension TEXT = '', from DATE = null, to DATE = null, month DATE = null
--! columns: period DATE, dimension_value TEXT, active BIGINT, previous BIGINT, gained BIGINT, retained BIGINT, churned BIGINT, moved_in BIGINT, moved_out BIGINT, quick_ratio DOUBLE, all_active BIGINT, mark TEXT
--! grain:   period, dimension_value
--! assert:  gained + retained + moved_in = active
--! assert:  retained + churned + moved_out = previous
--! assert:  gained + moved_in - churned - moved_out = active - previous
--! assert:  sum(active) OVER (PARTITION BY period) = all_active
--! assert:  sum(moved_in) OVER (PARTITION BY period) = sum(moved_out) OVER (PARTITION BY period)
--! chart:   line x=period y=quick_ratio mark=mark series=dimension_value weight=active rule=1 rule_title="growing above, shrinking below"
--! finding: {% set known = rows|selectattr("mark", "equalto", "computed")|rejectattr("quick_ratio", "none")|list %}{% if known %}{% set latest = known[-1].period %}{% set last = (known|selectattr("period", "equalto", latest)|list|sort(attribute="active"))[-1] %}{{ params.platform }}: {{ last.quick_ratio }} users{% if params.dimension %} of {{ last.dimension_value or "not known" }}{% endif %} came for each that left in {% if params.by == "month" %}{{ last.period|month }}{% else %}the {{ params.by }} of {{ last.period|day }}{% endif %}{% else %}No {{ params.by }} with a quick ratio{% endif %}
--! subtitle: (new + resurrected) / churned; above 1 the active users grow{% if params.dimension %}; by {{ params.dimension }} of the last active day, moves apart{% endif %}
--! report:  section=activity order=30
--! privacy: active, previous, gained, retained, churned, moved_in, moved_out, all_active
WITH calendar AS (
  SELECT
    period_start(day, $by) AS period, bool_or(covered) AS known,
    bool_and(covered) AND min(day) = period_start(min(day), $by)
      AND period_start(max(day) + 1, $by) > max(day) AS whole
  FROM activity_span
  WHERE platform = $platform AND ($to IS NULL OR day <= CAST($to AS DATE))
  GROUP BY period_start(day, $by)
),
sets AS (
  SELECT
    period, bucket, users,
    CASE WHEN lag(period) OVER so_far = period_start(period - 1, $by) THEN lag(users) OVER so_far END AS before,
    CASE WHEN period_start(lead(period) OVER so_far - 1, $by) = period THEN lead(users) OVER so_far END AS after
  FROM (
    SELECT period_start(day, $by) AS period, bucket, bitmap_union(users) AS users
    FROM activity
    WHERE platform = $platform AND event = 'active' AND dimension = '' AND ($to IS NULL OR day <= CAST($to AS DATE))
    GROUP BY period_start(day, $by), bucket
  )
  WINDOW so_far AS (PARTITION BY bucket ORDER BY period)
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
  )
),
parts AS (
  SELECT
    period, bucket, dimension_value, users,
    CASE WHEN lag(period) OVER so_far = period_start(period - 1, $by) THEN lag(users) OVER so_far END AS before,
    CASE WHEN period_start(lead(period) OVER so_far - 1, $by) = period THEN lead(users) OVER so_far END AS after
  FROM (
    SELECT period, bucket, dimension_value, bitmap_union(users) AS users
    FROM last_values
    GROUP BY period, bucket, dimension_value
  )
  WINDOW so_far AS (PARTITION BY bucket, dimension_value ORDER BY period)
),
-- Those who leave stand with the period that they were active in: `lost` is not active in the next one, `not_staying` not
-- under the same value.
counts AS (
  SELECT
    period, '' AS dimension_value, bitmap_count(users) AS active, bitmap_andnot_count(users, before) AS gained,
    bitmap_and_count(users, before) AS retained, bitmap_andnot_count(users, after) AS lost,
    bitmap_andnot_count(users, after) AS not_staying
  FROM sets
  WHERE $dimension = ''
  UNION ALL
  SELECT
    p.period, p.dimension_value, bitmap_count(p.users), bitmap_andnot_count(p.users, s.before),
    bitmap_and_count(p.users, p.before), bitmap_andnot_count(p.users, s.after),
    bitmap_andnot_count(p.users, p.after)
  FROM parts p
  JOIN sets s ON s.period = p.period AND s.bucket = p.bucket
  WHERE $dimension <> ''
),
summed AS (
  SELECT
    period, dimension_value, sum(active) AS active, sum(gained) AS gained, sum(retained) AS retained,
    sum(active - gained - retained) AS moved_in, sum(lost) AS lost, sum(not_staying - lost) AS leaving
  FROM counts
  GROUP BY period, dimension_value
),
-- Counted without the dimension, for the values to add up to.
totals AS (
  SELECT period, sum(bitmap_count(users)) AS active
  FROM sets
  WHERE $dimension <> ''
  GROUP BY period
),
dimension_values AS (
  SELECT '' AS dimension_value
  WHERE $dimension = ''
  UNION ALL
  SELECT DISTINCT dimension_value
  FROM summed
  WHERE $dimension <> '' AND active > 0
),
periods AS (
  SELECT
    c.period, v.dimension_value, c.known, c.whole, coalesce(n.active, 0) AS active, coalesce(n.retained, 0) AS retained,
    coalesce(n.gained, 0) AS gained, coalesce(n.moved_in, 0) AS moved_in,
    coalesce(lag(n.active) OVER so_far, 0) AS previous, coalesce(lag(n.lost) OVER so_far, 0) AS churned,
    coalesce(lag(n.leaving) OVER so_far, 0) AS moved_out,
    coalesce(CASE WHEN $dimension = '' THEN n.active ELSE t.active END, 0) AS all_active,
    coalesce(lag(c.known) OVER so_far, false) AS known_before, coalesce(lag(c.whole) OVER so_far, false) AS whole_before
  FROM calendar c
  CROSS JOIN dimension_values v
  LEFT JOIN summed n ON n.period = c.period AND n.dimension_value = v.dimension_value
  LEFT JOIN totals t ON t.period = c.period
  WINDOW so_far AS (PARTITION BY v.dimension_value ORDER BY c.period)
)
SELECT
  period, dimension_value,
  CASE WHEN known THEN active END AS active,
  CASE WHEN known_before THEN previous END AS previous,
  CASE WHEN known AND known_before THEN gained END AS gained,
  CASE WHEN known AND known_before THEN retained END AS retained,
  CASE WHEN known AND known_before THEN churned END AS churned,
  CASE WHEN known AND known_before THEN moved_in END AS moved_in,
  CASE WHEN known AND known_before THEN moved_out END AS moved_out,
  CASE WHEN whole AND whole_before THEN round(CAST(gained AS DOUBLE) / nullif(churned, 0), 4) END AS quick_ratio,
  CASE WHEN known THEN all_active END AS all_active,
  CASE WHEN whole AND (NOT known_before OR whole_before) THEN 'computed' ELSE 'unfinished' END AS mark
FROM periods
-- A value stands where it has users now or had some in the period before.
WHERE ($dimension = '' OR active > 0 OR previous > 0)
  AND period >= period_start(coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '5 months' AS DATE), DATE '0001-02-01'), $by)
ORDER BY period, dimension_value
