--- One month of one figure that a platform counts itself a row, beside the month before and the same month a
--- year before: what is compared on each side, and the growth from one to the other. Two finished months
--- compare whole (basis `month`), else the same days of both (basis `month to date`, or `same days` where
--- the month itself is finished): only days that are whole and known on both sides; levels and monthly
--- users on the last of those days. Growth is that of the two figures given; across a jump a level has none. A network
--- compares the same days, and of each the servers that reported on both sides (`network_pairs`): its `change` and growth are
--- theirs, while `compared_value` is of all its servers and has no `previous_value` beside it.
--! hold: yes
WITH days AS (
  SELECT
    d.platform, d.metric, d.kind, d.day, d.value,
    CASE WHEN d.flag <> 'unfinished' OR d.kind <> 'flow' AND d.measure <> 'dau' THEN d.value END AS whole,
    CAST(date_trunc('month', d.day) AS DATE) AS month,
    CAST(date_part('day', d.day) AS BIGINT) AS day_of_month,
    12 * CAST(date_part('year', d.day) AS BIGINT) + CAST(date_part('month', d.day) AS BIGINT) AS month_number,
    d.kind = 'flow' OR d.measure = 'dau' AS has_mean,
    max(CASE WHEN d.flag = 'jump' AND d.kind <> 'flow' THEN d.day END) OVER (PARTITION BY d.platform, d.metric, d.kind ORDER BY d.day) AS last_jump,
    -- Days that are only carried to pair with none.
    p.platform IS NOT NULL OR d.servers = 0 AS by_servers, p.month_now, p.month_then, p.year_now, p.year_then
  FROM platform_days d
  -- What is computed from activity is of all its servers.
  LEFT JOIN network_pairs p
    ON p.platform = d.platform AND p.metric = d.metric AND p.kind = d.kind AND p.day = d.day AND d.status <> 'computed'
),
-- The same day of the month before and of the year before.
paired AS (
  SELECT
    *,
    max(whole) OVER month_ago AS month_value,
    max(CASE WHEN whole IS NOT NULL THEN day END) OVER month_ago AS month_day,
    max(whole) OVER year_ago AS year_value,
    max(CASE WHEN whole IS NOT NULL THEN day END) OVER year_ago AS year_day
  FROM days
  WINDOW
    month_ago AS (PARTITION BY platform, metric, kind, day_of_month ORDER BY month_number RANGE BETWEEN 1 PRECEDING AND 1 PRECEDING),
    year_ago AS (PARTITION BY platform, metric, kind, day_of_month ORDER BY month_number RANGE BETWEEN 12 PRECEDING AND 12 PRECEDING)
),
matched AS (
  SELECT
    platform, metric, kind, day, month, month_number, has_mean, whole, last_jump, by_servers,
    CASE WHEN month_now IS NOT NULL THEN CAST(day - INTERVAL '1 month' AS DATE) ELSE month_day END AS month_day,
    CASE WHEN year_now IS NOT NULL THEN CAST(day - INTERVAL '1 year' AS DATE) ELSE year_day END AS year_day,
    CASE WHEN by_servers THEN month_now WHEN month_value IS NOT NULL THEN whole END AS month_now,
    CASE WHEN by_servers THEN month_then WHEN whole IS NOT NULL THEN month_value END AS month_then,
    CASE WHEN by_servers THEN year_now WHEN year_value IS NOT NULL THEN whole END AS year_now,
    CASE WHEN by_servers THEN year_then WHEN whole IS NOT NULL THEN year_value END AS year_then
  FROM paired
),
counted AS (
  SELECT
    platform, metric, kind, month, month_number, has_mean,
    count(whole) AS whole_days,
    max(CASE WHEN whole IS NOT NULL THEN day END) AS whole_as_of,
    sum(CAST(whole AS DECIMAL(38, 0))) AS whole_total,
    max(last_jump) AS last_jump,
    bool_or(by_servers) AS by_servers,
    count(month_now) AS mom_days,
    max(CASE WHEN month_now IS NOT NULL THEN day END) AS mom_as_of,
    max(CASE WHEN month_now IS NOT NULL THEN month_day END) AS mom_before_as_of,
    max(CASE WHEN month_now IS NOT NULL THEN last_jump END) AS mom_jump,
    sum(CAST(month_now AS DECIMAL(38, 0))) AS mom_total,
    sum(CAST(month_then AS DECIMAL(38, 0))) AS mom_before_total,
    last_value(month_now ORDER BY day) FILTER (WHERE month_now IS NOT NULL) AS mom_level,
    last_value(month_then ORDER BY day) FILTER (WHERE month_then IS NOT NULL) AS mom_before_level,
    count(year_now) AS yoy_days,
    max(CASE WHEN year_now IS NOT NULL THEN year_day END) AS yoy_before_as_of,
    max(CASE WHEN year_now IS NOT NULL THEN last_jump END) AS yoy_jump,
    sum(CAST(year_now AS DECIMAL(38, 0))) AS yoy_total,
    sum(CAST(year_then AS DECIMAL(38, 0))) AS yoy_before_total,
    last_value(year_now ORDER BY day) FILTER (WHERE year_now IS NOT NULL) AS yoy_level,
    last_value(year_then ORDER BY day) FILTER (WHERE year_then IS NOT NULL) AS yoy_before_level
  FROM matched
  GROUP BY platform, metric, kind, month, month_number, has_mean
),
-- Beside it the whole months.
beside AS (
  SELECT
    c.*, o.measure, o.value, o.unit, o.per_day, o.status, o.as_of, o.days_known, o.days_in_month, o.left_out, o.finished,
    max(CASE WHEN o.finished THEN o.value END) OVER month_ago AS month_value,
    max(CASE WHEN o.finished THEN o.as_of END) OVER month_ago AS month_as_of,
    max(CASE WHEN o.finished THEN o.value END) OVER year_ago AS year_value,
    max(CASE WHEN o.finished THEN o.as_of END) OVER year_ago AS year_as_of
  FROM counted c
  JOIN own_months o ON o.platform = c.platform AND o.metric = c.metric AND o.kind = c.kind AND o.month = c.month
  WINDOW
    month_ago AS (PARTITION BY c.platform, c.metric, c.kind ORDER BY c.month_number RANGE BETWEEN 1 PRECEDING AND 1 PRECEDING),
    year_ago AS (PARTITION BY c.platform, c.metric, c.kind ORDER BY c.month_number RANGE BETWEEN 12 PRECEDING AND 12 PRECEDING)
),
bases AS (
  SELECT
    *,
    finished AND NOT by_servers AND (month_value IS NOT NULL OR mom_days = 0) AS whole_month,
    finished AND NOT by_servers AND (year_value IS NOT NULL OR yoy_days = 0) AS whole_year
  FROM beside
),
-- The same days on both sides, of a network the same servers, rounded as they are shown; a sum that does not fit is none.
sides AS (
  SELECT
    *,
    CASE
      WHEN mom_days = 0 THEN NULL
      WHEN kind = 'flow' THEN TRY_CAST(mom_total AS BIGINT)
      WHEN has_mean THEN CAST(round(CAST(mom_total AS DOUBLE) / nullif(mom_days, 0)) AS BIGINT)
      ELSE mom_level
    END AS month_side,
    CASE
      WHEN mom_days = 0 THEN NULL
      WHEN kind = 'flow' THEN TRY_CAST(mom_before_total AS BIGINT)
      WHEN has_mean THEN CAST(round(CAST(mom_before_total AS DOUBLE) / nullif(mom_days, 0)) AS BIGINT)
      ELSE mom_before_level
    END AS month_before_side,
    CASE
      WHEN yoy_days = 0 THEN NULL
      WHEN kind = 'flow' THEN TRY_CAST(yoy_total AS BIGINT)
      WHEN has_mean THEN CAST(round(CAST(yoy_total AS DOUBLE) / nullif(yoy_days, 0)) AS BIGINT)
      ELSE yoy_level
    END AS year_side,
    CASE
      WHEN yoy_days = 0 THEN NULL
      WHEN kind = 'flow' THEN TRY_CAST(yoy_before_total AS BIGINT)
      WHEN has_mean THEN CAST(round(CAST(yoy_before_total AS DOUBLE) / nullif(yoy_days, 0)) AS BIGINT)
      ELSE yoy_before_level
    END AS year_before_side,
    -- All that is known of the month, where nothing is compared.
    CASE
      WHEN whole_days = 0 THEN value
      WHEN kind = 'flow' THEN TRY_CAST(whole_total AS BIGINT)
      WHEN has_mean THEN CAST(round(CAST(whole_total AS DOUBLE) / nullif(whole_days, 0)) AS BIGINT)
      ELSE value
    END AS known_value,
    mom_days = 0 OR by_servers AS alone
  FROM bases
),
figures AS (
  SELECT
    *,
    CASE WHEN whole_month THEN value WHEN alone THEN known_value ELSE month_side END AS compared_value,
    CASE WHEN whole_month THEN as_of WHEN alone THEN coalesce(whole_as_of, as_of) ELSE mom_as_of END AS compared_as_of,
    CASE WHEN NOT has_mean THEN NULL WHEN whole_month THEN days_in_month WHEN alone THEN whole_days ELSE mom_days END AS days,
    CASE WHEN whole_month THEN value ELSE month_side END AS month_now,
    CASE WHEN whole_month THEN month_value ELSE month_before_side END AS month_before,
    CASE WHEN whole_month THEN month_as_of ELSE mom_before_as_of END AS previous_as_of,
    CASE WHEN whole_month THEN last_jump ELSE mom_jump END AS month_jump,
    CASE WHEN whole_year THEN value ELSE year_side END AS year_now,
    CASE WHEN whole_year THEN year_value ELSE year_before_side END AS year_before,
    CASE WHEN whole_year THEN last_jump ELSE yoy_jump END > CASE WHEN whole_year THEN year_as_of ELSE yoy_before_as_of END AS year_jumped
  FROM sides
)
SELECT
  platform, month, measure, metric, kind, value, unit, per_day, status, as_of, days_known, days_in_month, left_out,
  finished, last_jump >= month AS jumped,
  CASE WHEN whole_month THEN 'month' WHEN finished THEN 'same days' ELSE 'month to date' END AS basis,
  days, compared_value, compared_as_of, CASE WHEN NOT by_servers THEN month_before END AS previous_value, previous_as_of,
  CASE WHEN coalesce(month_jump > previous_as_of, false) THEN NULL ELSE month_now - month_before END AS change,
  CASE WHEN coalesce(month_jump > previous_as_of, false) THEN NULL
    ELSE round(CAST(month_now AS DOUBLE) / nullif(month_before, 0) - 1, 6) END AS mom,
  mom_days,
  CASE WHEN NOT by_servers THEN year_before END AS year_before_value,
  CASE WHEN coalesce(year_jumped, false) THEN NULL
    ELSE round(CAST(year_now AS DOUBLE) / nullif(year_before, 0) - 1, 6) END AS yoy,
  yoy_days
FROM figures
