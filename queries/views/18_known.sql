--- One figure that goes into comparisons a row: every computing statement, and every month of a platform's
--- own counts, those from activity before counters and both before statements of the same measure and month (`origin`:
--- activity, usage, statement). `value` is what compares: of flows the mean a day. What is known at a date is the row with
--- the greatest `as_of` at or before it. `comparable` is false where the unit stands apart (unique IDs,
--- bridged users, money).
--! hold: yes
WITH figures AS (
  SELECT
    platform, measure, metric,
    CASE WHEN per_day IS NULL THEN value ELSE CAST(round(per_day) AS BIGINT) END AS value,
    CASE WHEN per_day IS NULL THEN unit ELSE concat(unit, '/day') END AS unit,
    as_of, status, qualifier, finished, origin,
    '' AS definition, '' AS source_title, '' AS source_url, month
  FROM own_months
  -- A month of a flow without one whole day has no mean.
  WHERE kind <> 'flow' OR per_day IS NOT NULL
  UNION ALL
  SELECT
    platform, measure, metric, value, unit, as_of, status, qualifier, true, 'statement',
    definition, source_title, source_url, CAST(date_trunc('month', as_of) AS DATE)
  FROM statements
  WHERE computes
)
SELECT
  platform, measure, metric, value, unit, as_of, status, qualifier, finished, origin, definition,
  source_title, source_url,
  unit IN ('users', 'user accounts', 'accounts', 'messages/day', 'users/day') AS comparable
FROM figures
QUALIFY CASE origin WHEN 'activity' THEN 1 WHEN 'usage' THEN 2 ELSE 3 END
  = min(CASE origin WHEN 'activity' THEN 1 WHEN 'usage' THEN 2 ELSE 3 END) OVER (PARTITION BY platform, month, measure)
