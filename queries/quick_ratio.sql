--- How many active users came for each that left: the quick ratio of each day, week or month.
--- quick_ratio = gained / churned. gained = new + resurrected: active in the period, not in the one before; churned: active
--- in the one before, not in this. It needs no history but the period before. None where nobody left, or where the
--- period or the one before has no covered day. `unfinished`: a day of either is not covered, or the
--- period is not over.
--- Where a month is given: from five months before it on.
--! params:  platform TEXT, by TEXT = week, from DATE = null, to DATE = null, month DATE = null
--! columns: period DATE, active BIGINT, previous BIGINT, gained BIGINT, retained BIGINT, churned BIGINT, quick_ratio DOUBLE, mark TEXT
--! grain:   period
--! assert:  gained + retained = active
--! assert:  retained + churned = previous
--! assert:  gained - churned = active - previous
--! chart:   line x=period y=quick_ratio mark=mark rule=1 rule_title="growing above, shrinking below"
--! finding: {% set known = rows|selectattr("mark", "equalto", "computed")|rejectattr("quick_ratio", "none")|list %}{% if known %}{% set last = known[-1] %}{{ params.platform }}: {{ last.quick_ratio }} users came for each that left in {% if params.by == "month" %}{{ last.period|month }}{% else %}the {{ params.by }} of {{ last.period|day }}{% endif %}{% else %}No {{ params.by }} with a quick ratio{% endif %}
--! subtitle: (new + resurrected) / churned; above 1 the active users grow
--! report:  section=activity order=30
--! privacy: active, previous, gained, retained, churned
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
    period, users,
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
counts AS (
  SELECT
    period, sum(bitmap_count(users)) AS active, sum(bitmap_and_count(users, before)) AS retained,
    sum(bitmap_andnot_count(users, before)) AS gained, sum(bitmap_andnot_count(users, after)) AS lost
  FROM sets
  GROUP BY period
),
periods AS (
  SELECT
    c.period, c.known, c.whole, coalesce(n.active, 0) AS active, coalesce(n.retained, 0) AS retained,
    coalesce(n.gained, 0) AS gained,
    coalesce(lag(n.active) OVER so_far, 0) AS previous, coalesce(lag(n.lost) OVER so_far, 0) AS churned,
    coalesce(lag(c.known) OVER so_far, false) AS known_before, coalesce(lag(c.whole) OVER so_far, false) AS whole_before
  FROM calendar c
  LEFT JOIN counts n ON n.period = c.period
  WINDOW so_far AS (ORDER BY c.period)
)
SELECT
  period,
  CASE WHEN known THEN active END AS active,
  CASE WHEN known_before THEN previous END AS previous,
  CASE WHEN known AND known_before THEN gained END AS gained,
  CASE WHEN known AND known_before THEN retained END AS retained,
  CASE WHEN known AND known_before THEN churned END AS churned,
  CASE WHEN known AND known_before THEN round(CAST(gained AS DOUBLE) / nullif(churned, 0), 4) END AS quick_ratio,
  CASE WHEN whole AND (NOT known_before OR whole_before) THEN 'computed' ELSE 'unfinished' END AS mark
FROM periods
WHERE period >= period_start(coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '5 months' AS DATE), DATE '0001-02-01'), $by)
ORDER BY period
