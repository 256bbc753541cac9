--- Growth from month to month and from year to year of what a platform counts itself.
--- Two finished months compare whole: the totals of flows, the means of daily users, the last figures of
--- levels and monthly users. A month that is not finished (not over, or with days left out) compares the
--- same days of both months only: those known in both, `mom_days` and `yoy_days` of them; levels on the
--- last of those days; across a jump a level shows no growth. `mark` says which. Where a month is given: that month and the
--- twelve before it.
--! params:  platform TEXT, metric TEXT = all, month DATE = null
--! columns: metric TEXT, month DATE, value BIGINT, unit TEXT, per_day DOUBLE, days_known BIGINT, days_in_month BIGINT, left_out BIGINT, finished BOOLEAN, mom DOUBLE, mom_days BIGINT, yoy DOUBLE, yoy_days BIGINT, mark TEXT
--! grain:   metric, month
--! finding: {% set grown = rows|rejectattr("mom", "none")|list %}{% if grown %}{% set last = grown[-1] %}{{ params.platform }}, {{ last.metric|replace("_", " ") }}: {{ last.mom|pct }} in {{ last.month|month }} against the month before{% if not last.finished %}, the same {{ last.mom_days }} days of each{% endif %}{% else %}No two months that compare{% endif %}
--! subtitle: growth against the month before; unfinished months compare the same days
--! report:  section=growth order=30
--! privacy: value, per_day
WITH days AS (
  SELECT
    metric, measure, kind, day, value,
    CASE WHEN flag <> 'unfinished' OR kind <> 'flow' AND measure <> 'dau' THEN value END AS whole,
    flag,
    CAST(date_trunc('month', day) AS DATE) AS month,
    CAST(date_part('day', day) AS BIGINT) AS day_of_month,
    12 * CAST(date_part('year', day) AS BIGINT) + CAST(date_part('month', day) AS BIGINT) AS month_number,
    kind = 'flow' OR measure = 'dau' AS has_mean
  FROM platform_days
  WHERE platform = $platform AND ($metric = 'all' OR $metric IN (measure, metric))
    AND ($month IS NULL OR day < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE))
),
-- The same day of the month before and of the year before.
paired AS (
  SELECT
    *,
    max(whole) OVER (PARTITION BY metric, day_of_month ORDER BY month_number RANGE BETWEEN 1 PRECEDING AND 1 PRECEDING) AS month_before,
    max(whole) OVER (PARTITION BY metric, day_of_month ORDER BY month_number RANGE BETWEEN 12 PRECEDING AND 12 PRECEDING) AS year_before
  FROM days
),
months AS (
  SELECT
    metric, kind, has_mean, month, month_number,
    CAST(month + INTERVAL '1 month' AS DATE) - month AS days_in_month,
    count(value) FILTER (WHERE flag <> 'unfinished') AS days_known,
    count(*) FILTER (WHERE flag IN ('jump', 'fell', 'gap')) AS left_out,
    count(*) FILTER (WHERE flag = 'jump' AND NOT has_mean) AS jumps,
    bool_or(value IS NOT NULL AND flag <> 'unfinished' AND day = CAST(month + INTERVAL '1 month' - INTERVAL '1 day' AS DATE)) AS end_known,
    sum(CAST(value AS DECIMAL(38, 0))) AS total,
    CAST(sum(CAST(value AS DECIMAL(38, 0))) FILTER (WHERE flag <> 'unfinished') AS DOUBLE)
      / nullif(count(value) FILTER (WHERE flag <> 'unfinished'), 0) AS per_day,
    last_value(value ORDER BY day) FILTER (WHERE value IS NOT NULL) AS level,
    count(*) FILTER (WHERE whole IS NOT NULL AND month_before IS NOT NULL) AS mom_days,
    CAST(sum(CAST(whole AS DECIMAL(38, 0))) FILTER (WHERE month_before IS NOT NULL) AS DOUBLE) AS mom_now,
    CAST(sum(CAST(month_before AS DECIMAL(38, 0))) FILTER (WHERE whole IS NOT NULL) AS DOUBLE) AS mom_before,
    last_value(whole ORDER BY day) FILTER (WHERE whole IS NOT NULL AND month_before IS NOT NULL) AS mom_level,
    last_value(month_before ORDER BY day) FILTER (WHERE whole IS NOT NULL AND month_before IS NOT NULL) AS mom_level_before,
    count(*) FILTER (WHERE whole IS NOT NULL AND year_before IS NOT NULL) AS yoy_days,
    CAST(sum(CAST(whole AS DECIMAL(38, 0))) FILTER (WHERE year_before IS NOT NULL) AS DOUBLE) AS yoy_now,
    CAST(sum(CAST(year_before AS DECIMAL(38, 0))) FILTER (WHERE whole IS NOT NULL) AS DOUBLE) AS yoy_before,
    last_value(whole ORDER BY day) FILTER (WHERE whole IS NOT NULL AND year_before IS NOT NULL) AS yoy_level,
    last_value(year_before ORDER BY day) FILTER (WHERE whole IS NOT NULL AND year_before IS NOT NULL) AS yoy_level_before
  FROM paired
  GROUP BY metric, kind, has_mean, month, month_number
),
judged AS (
  SELECT
    *,
    CASE WHEN has_mean THEN days_known = days_in_month ELSE end_known END AS finished,
    -- What two finished months compare.
    CASE
      WHEN kind = 'flow' THEN CAST(total AS DOUBLE)
      WHEN has_mean THEN per_day
      ELSE CAST(level AS DOUBLE)
    END AS whole_month
  FROM months
),
beside AS (
  SELECT
    *,
    max(CASE WHEN finished THEN whole_month END) OVER (PARTITION BY metric ORDER BY month_number RANGE BETWEEN 1 PRECEDING AND 1 PRECEDING) AS month_before,
    max(CASE WHEN finished THEN whole_month END) OVER (PARTITION BY metric ORDER BY month_number RANGE BETWEEN 12 PRECEDING AND 12 PRECEDING) AS year_before,
    -- A level that jumped between the two dates did not grow by the difference.
    jumps + CASE WHEN finished THEN 0 ELSE coalesce(sum(jumps) OVER (PARTITION BY metric ORDER BY month_number RANGE BETWEEN 1 PRECEDING AND 1 PRECEDING), 0) END AS jumps_since_month,
    sum(jumps) OVER (PARTITION BY metric ORDER BY month_number RANGE BETWEEN 11 PRECEDING AND CURRENT ROW)
      + CASE WHEN finished THEN 0 ELSE coalesce(sum(jumps) OVER (PARTITION BY metric ORDER BY month_number RANGE BETWEEN 12 PRECEDING AND 12 PRECEDING), 0) END AS jumps_since_year
  FROM judged
)
SELECT
  b.metric, b.month,
  CASE
    WHEN b.kind = 'flow' THEN CASE WHEN b.total <= 9223372036854775807 THEN CAST(b.total AS BIGINT) END
    WHEN b.has_mean THEN CAST(round(b.per_day) AS BIGINT)
    ELSE b.level
  END AS value,
  m.unit, CASE WHEN b.kind = 'flow' THEN round(b.per_day, 2) END AS per_day, b.days_known, b.days_in_month, b.left_out, b.finished,
  round(CASE
    WHEN b.jumps_since_month > 0 THEN NULL
    WHEN b.finished AND b.month_before IS NOT NULL THEN b.whole_month / nullif(b.month_before, 0)
    WHEN b.has_mean THEN b.mom_now / nullif(b.mom_before, 0)
    ELSE CAST(b.mom_level AS DOUBLE) / nullif(b.mom_level_before, 0)
  END - 1, 6) AS mom,
  b.mom_days,
  round(CASE
    WHEN b.jumps_since_year > 0 THEN NULL
    WHEN b.finished AND b.year_before IS NOT NULL THEN b.whole_month / nullif(b.year_before, 0)
    WHEN b.has_mean THEN b.yoy_now / nullif(b.yoy_before, 0)
    ELSE CAST(b.yoy_level AS DOUBLE) / nullif(b.yoy_level_before, 0)
  END - 1, 6) AS yoy,
  b.yoy_days,
  CASE WHEN b.finished AND b.jumps = 0 THEN 'computed' WHEN b.left_out > 0 THEN 'artefact' ELSE 'unfinished' END AS mark
FROM beside b
JOIN metrics m ON m.metric = b.metric
WHERE $month IS NULL OR b.month >= CAST(CAST($month AS DATE) - INTERVAL '12 months' AS DATE)
ORDER BY b.metric, b.month
