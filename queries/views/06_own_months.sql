--- One month of one figure that a platform counts itself a row (platform, month, metric): the total of the
--- known days for flows, the last of the month for levels and distinct users, the mean of the known days
--- for daily users.
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
    -- The mean from an exact sum, so that its last digit does not hang on the order of the days.
    CAST(sum(CAST(value AS DECIMAL(38, 0))) FILTER (WHERE flag <> 'unfinished') AS DOUBLE)
      / nullif(count(value) FILTER (WHERE flag <> 'unfinished'), 0) AS per_day,
    min(status) AS status
  FROM days
  GROUP BY platform, metric, measure, kind, month
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
  c.left_out
FROM counted c
JOIN metrics m ON m.metric = c.metric
WHERE c.as_of IS NOT NULL
