--- Users who stay for a month: R30v2 of Synapse, at the end of each period.
--- Users whose first and last active day within the 60 days that end on the labelled day lie more than 30 days apart,
--- that is at least 31 calendar days (element-hq/synapse, synapse/storage/databases/main/metrics.py: timestamps of 00:00 UTC after
--- now - 60 days, max - min > 30 days). The labelled day is the period's last, or the last covered one. By a dimension both days count
--- within the value, as Synapse counts clients, so the values don't add up: a user may stand under several or, having
--- changed, under none. `unfinished`: the 60 days are not all covered, or the period is not over.
--! params:  platform TEXT, by TEXT = month, dimension TEXT = '', from DATE = null, to DATE = null
--! columns: day DATE, dimension_value TEXT, users BIGINT, active BIGINT, mark TEXT
--! grain:   day, dimension_value
--! assert:  users <= active
--! chart:   line x=day y=users series=dimension_value mark=mark
--! finding: {% set known = rows|selectattr("mark", "equalto", "computed")|list %}{% if known and not params.dimension %}{{ params.platform }}: {{ known[-1].users|short }} users stayed for more than 30 days, to {{ known[-1].day|day }}{% elif known %}{{ params.platform }}: users who stayed for more than 30 days, by {{ params.dimension }}{% else %}No 60 days are fully covered{% endif %}
--! subtitle: users with active days more than 30 days apart within 60 days (Synapse's R30v2); active: users of the 60 days
--! report:  none
--! privacy: users, active
WITH history AS (
  SELECT
    day, covered,
    day - coalesce(max(CASE WHEN NOT covered THEN day END) OVER so_far, first_day - 1) >= 60 AS whole,
    day - max(CASE WHEN covered THEN day END) OVER so_far < 60 AS known
  FROM activity_span
  WHERE platform = $platform AND ($to IS NULL OR day <= CAST($to AS DATE))
  WINDOW so_far AS (ORDER BY day)
),
labelled AS (
  SELECT day, known, whole AND period_start(day + 1, $by) > day AS whole
  FROM history
  WHERE $from IS NULL OR day >= CAST($from AS DATE)
  QUALIFY row_number() OVER (PARTITION BY period_start(day, $by) ORDER BY day DESC) = 1
),
-- Each active day within the 60, beside all who were active at least 31 days before it.
windows AS (
  SELECT
    l.day, a.bucket, a.dimension_value, a.users,
    bitmap_union(a.users) OVER (
      PARTITION BY l.day, a.bucket, a.dimension_value ORDER BY arrow_cast(a.day, 'Int32')
      RANGE BETWEEN UNBOUNDED PRECEDING AND 31 PRECEDING
    ) AS earlier
  FROM labelled l
  JOIN active a ON a.day <= l.day AND a.day > l.day - 60
  WHERE a.platform = $platform AND a.dimension = $dimension
),
counts AS (
  SELECT day, dimension_value, sum(users) AS users, sum(active) AS active
  FROM (
    SELECT
      day, bucket, dimension_value, bitmap_union_count(bitmap_and(users, earlier)) AS users,
      bitmap_union_count(users) AS active
    FROM windows
    GROUP BY day, bucket, dimension_value
  )
  GROUP BY day, dimension_value
),
dimension_values AS (
  SELECT '' AS dimension_value
  WHERE $dimension = ''
  UNION ALL
  SELECT DISTINCT dimension_value
  FROM activity
  WHERE platform = $platform AND event = 'active' AND dimension = $dimension AND $dimension <> '' AND ($to IS NULL OR day <= CAST($to AS DATE))
)
SELECT
  l.day, v.dimension_value,
  CASE WHEN l.known THEN coalesce(c.users, 0) END AS users, CASE WHEN l.known THEN coalesce(c.active, 0) END AS active,
  CASE WHEN l.whole THEN 'computed' ELSE 'unfinished' END AS mark
FROM labelled l
CROSS JOIN dimension_values v
LEFT JOIN counts c ON c.day = l.day AND c.dimension_value = v.dimension_value
ORDER BY l.day, v.dimension_value
