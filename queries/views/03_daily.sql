--- One figure a platform, server, day, metric and dimension value a row, whatever the source counts.
--- Flows and distinct users pass as they are; a level is its last reading of the day; a counter becomes
--- the flow of its differences, and registered users also give `net_adds`. A difference that is left out
--- is null and `flag` says why: jump, fell, gap; `unfinished` marks a day that is not over.
WITH whole_days AS (
  -- Tens of millions of rows may come through here: no window, no grouping, no sort.
  SELECT
    platform, server, day, metric, kind, dimension, dimension_value, value, status, '' AS flag,
    CAST(1 AS BIGINT) AS readings
  FROM usage
  WHERE kind IN ('flow', 'distinct', 'window') AND at IS NULL
),
moments_of_flows AS (
  SELECT
    platform, server, day, metric, kind, dimension, dimension_value,
    CASE kind WHEN 'flow' THEN sum(value) ELSE last_value(value ORDER BY at, value) END AS value,
    min(status) AS status, '' AS flag, count(*) AS readings
  FROM usage
  WHERE kind IN ('flow', 'distinct', 'window') AND at IS NOT NULL
  GROUP BY platform, server, day, metric, kind, dimension, dimension_value
),
-- A day of readings is a level, a difference, or both.
roles AS (
  SELECT column1 AS kind, column2 AS role
  FROM (VALUES ('level', 'level'), ('level', 'net_adds'), ('counter', 'flow')) AS r
),
from_readings AS (
  SELECT
    c.platform, c.server, c.day,
    CASE r.role WHEN 'net_adds' THEN 'net_adds' ELSE c.metric END AS metric,
    CASE r.role WHEN 'level' THEN 'level' ELSE 'flow' END AS kind,
    c.dimension, c.dimension_value,
    CASE
      WHEN r.role = 'level' THEN c.value
      WHEN c.difference_flag = '' THEN c.change
    END AS value,
    c.status,
    CASE
      WHEN r.role = 'level' AND c.unfinished THEN 'unfinished'
      WHEN r.role = 'level' AND c.difference_flag = 'gap' THEN ''
      WHEN c.difference_flag <> '' THEN c.difference_flag
      WHEN c.unfinished THEN 'unfinished'
      ELSE ''
    END AS flag,
    c.readings
  FROM changes c
  JOIN roles r ON r.kind = c.kind
  -- The first day of a series has nothing to differ from.
  WHERE r.role = 'level' OR c.previous_day IS NOT NULL AND (r.role = 'flow' OR c.metric = 'registered_users')
),
together AS (
  SELECT * FROM whole_days
  UNION ALL
  SELECT * FROM moments_of_flows
  UNION ALL
  SELECT * FROM from_readings
)
SELECT
  t.platform, t.server, t.day, t.metric, m.measure, t.kind, t.dimension, t.dimension_value, t.value,
  t.status, t.flag, t.readings
FROM together t
JOIN metrics m ON m.metric = t.metric
