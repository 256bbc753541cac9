--- One month of one figure a row (platform, month, metric, unit), in one shape whatever the origin: computed from
--- activity where there is any of that measure and month, else the platform's own counters, else its public statements (the
--- last computing one of the month); `origin` says which: activity, usage or statement. `own_months.sql` says what `value` is of the platform's own counts.
--! hold: yes
WITH last_statements AS (
  SELECT
    platform, CAST(date_trunc('month', as_of) AS DATE) AS month, measure, metric, value, unit, status, qualifier, as_of
  FROM statements
  WHERE computes
  QUALIFY row_number() OVER (
    PARTITION BY platform, metric, unit, date_trunc('month', as_of) ORDER BY as_of DESC
  ) = 1
),
every_origin AS (
  SELECT
    platform, month, measure, metric, value, per_day, unit, status, qualifier, as_of, days_known,
    days_in_month, finished, left_out, origin
  FROM own_months
  UNION ALL
  SELECT
    platform, month, measure, metric, value,
    CASE WHEN unit IN ('messages/day', 'users/day') THEN CAST(value AS DOUBLE) END,
    unit, status, qualifier, as_of, CAST(NULL AS BIGINT),
    CAST(month + INTERVAL '1 month' AS DATE) - month, true, CAST(0 AS BIGINT), 'statement'
  FROM last_statements
)
SELECT
  platform, month, measure, metric, value, per_day, unit, status, qualifier, as_of, days_known,
  days_in_month, finished, left_out, origin
FROM every_origin
QUALIFY CASE origin WHEN 'activity' THEN 1 WHEN 'usage' THEN 2 ELSE 3 END
  = min(CASE origin WHEN 'activity' THEN 1 WHEN 'usage' THEN 2 ELSE 3 END) OVER (PARTITION BY platform, month, measure)
