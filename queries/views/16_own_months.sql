--- One month of one figure that a platform counts itself a row (platform, month, metric): the total of the
--- known days for flows, the last of the month for levels and distinct users, the mean of the known days
--- for daily users. What a count since the beginning rose across a gap within the month belongs to the
--- month, though to no day of it. `origin` is `activity` where a day of the month is computed from activity, else
--- `usage`; `status` is `computed` only where all of them are.
--! hold: yes
WITH days AS (
  SELECT *, CAST(date_trunc('month', day) AS DATE) AS month
  FROM platform_days
),
counted AS (
  SELECT
    platform, metric, measure, kind, month, CAST(month + INTERVAL '1 month' AS DATE) - month AS days_in_month,
    count(value) FILTER (WHERE flag <> 'unfinished') AS days_known,
    count(*) FILTER (WHERE flag IN ('jump', 'fell', 'gap')) AS left_out,
    max(CASE WHEN value IS NOT NULL THEN day END) AS as_of,
    bool_or(value IS NOT NULL AND flag <> 'unfinished' AND day = CAST(month + INTERVAL '1 month' - INTERVAL '1 day' AS DATE)) AS last_day_known,
    last_value(value ORDER BY day) FILTER (WHERE value IS NOT NULL) AS last_known,
    sum(CAST(value AS DECIMAL(38, 0))) AS total,
    sum(CAST(value AS DECIMAL(38, 0))) FILTER (WHERE flag <> 'unfinished') AS whole_total,
    coalesce(min(CASE WHEN status <> 'computed' THEN status END), 'computed') AS status,
    bool_or(status = 'computed') AS from_activity
  FROM days
  GROUP BY platform, metric, measure, kind, month
),
-- Of several servers each has its own days, so only a platform counted in one series is bridged.
readings AS (
  SELECT
    *,
    CAST(date_trunc('month', day) AS DATE) AS month,
    CASE metric WHEN 'registered_users' THEN 'net_adds' ELSE metric END AS flow,
    min(server) OVER series = max(server) OVER series AND min(kind) OVER series = max(kind) OVER series AS alone
  FROM changes
  WHERE dimension = '' AND (kind = 'counter' OR metric = 'registered_users')
  WINDOW series AS (PARTITION BY platform, metric)
),
bridged AS (
  SELECT
    platform, flow, month,
    sum(CAST(value - previous_value AS DECIMAL(38, 0))) AS total,
    sum(day - previous_day) AS days, count(*) AS gaps, max(day) AS as_of
  FROM readings
  WHERE alone AND difference_flag = 'gap' AND NOT unfinished
    AND previous_day >= month - INTERVAL '1 day'
    -- Neither a fall nor, as far as the days around tell, a jump.
    AND value >= previous_value
    AND NOT (
      largest_around > 0 AND value - previous_value >= 100 AND value - previous_value >= 0.03 * previous_value
      AND value - previous_value >= 5 * largest_around * (day - previous_day)
    )
  GROUP BY platform, flow, month
),
together AS (
  SELECT
    c.platform, c.metric, c.measure, c.kind, c.month, c.days_in_month, c.last_day_known, c.last_known, c.status, c.from_activity,
    c.days_known + coalesce(b.days, 0) AS days_known,
    c.left_out - coalesce(b.gaps, 0) AS left_out,
    greatest(c.as_of, b.as_of) AS as_of,
    CASE WHEN b.total IS NULL THEN c.total ELSE coalesce(c.total, 0) + b.total END AS total,
    -- The mean from an exact sum, so that its last digit does not hang on the order of the days.
    CAST(CASE WHEN b.total IS NULL THEN c.whole_total ELSE coalesce(c.whole_total, 0) + b.total END AS DOUBLE)
      / nullif(c.days_known + coalesce(b.days, 0), 0) AS per_day
  FROM counted c
  LEFT JOIN bridged b
    ON b.platform = c.platform AND b.flow = c.metric AND b.month = c.month AND c.kind = 'flow'
    -- The days of a gap that activity covers are counted already.
    AND NOT c.from_activity
)
SELECT
  c.platform, c.month, c.measure, c.metric, c.kind,
  CASE
    WHEN c.kind = 'flow' THEN CASE WHEN c.total <= 9223372036854775807 THEN CAST(c.total AS BIGINT) END
    WHEN c.measure = 'dau' THEN CAST(round(coalesce(c.per_day, c.last_known)) AS BIGINT)
    ELSE c.last_known
  END AS value,
  CASE WHEN c.kind = 'flow' THEN c.per_day END AS per_day,
  m.unit, c.status, 'exact' AS qualifier, c.as_of,
  c.days_known, c.days_in_month,
  -- What adds up or is averaged needs all its days, what is read at the end needs the end.
  CASE
    WHEN c.kind = 'flow' OR c.measure = 'dau' THEN c.days_known = c.days_in_month
    ELSE c.last_day_known
  END AS finished,
  c.left_out, CASE WHEN c.from_activity THEN 'activity' ELSE 'usage' END AS origin
FROM together c
JOIN metrics m ON m.metric = c.metric
WHERE c.as_of IS NOT NULL
