--- How often users come: the users by their number of active days in the window, L28 or L7.
--- The window is the `window` days that end on `to` (without it: on the last covered day). users: active on exactly so
--- many days; at_least: on so many or more, so that of 1 day it is the window's active users; share: of those.
--- By a dimension users count under the value of their last active day in the window (of several values on that day the first in
--- byte order) with all their days, whatever their value on them; the values add up to `all_active`.
--- `unfinished`: not every day of the window is covered, so that users may have been active on more days.
--! params:  platform TEXT, window BIGINT = 28, dimension TEXT = '', to DATE = null
--! columns: days BIGINT, dimension_value TEXT, users BIGINT, share DOUBLE, at_least BIGINT, active BIGINT, all_active BIGINT, user_days BIGINT, mark TEXT
--! grain:   dimension_value, days
--! assert:  sum(users) OVER (PARTITION BY dimension_value) = active
--! assert:  sum(users) OVER () = all_active
--! assert:  sum(users * days) OVER () = user_days
--! assert:  at_least >= users
--! chart:   histogram x=days y=users share=share mark=mark series=dimension_value
--! finding: {% if rows and rows[0].active %}{% set last = rows|selectattr("days", "equalto", params.window|int)|list|sort(attribute="active") %}{% set every = last[-1] %}{% set once = rows|selectattr("days", "equalto", 1)|selectattr("dimension_value", "equalto", every.dimension_value)|first %}{{ params.platform }}: {{ every.share|pct }} of the active users{% if params.dimension %} of {{ every.dimension_value or "not known" }}{% endif %} came on every one of {{ params.window }} days, {{ once.share|pct }} on one only{% if every.mark == "unfinished" %}, as far as days are covered{% endif %}{% else %}Nobody was active{% endif %}
--! subtitle: users by number of active days in the {{ params.window }} days that end on the last day asked for{% if params.dimension %}, by {{ params.dimension }} of the last active day{% endif %}
--! report:  section=activity order=50
--! privacy: users, at_least, active, all_active, user_days
WITH ends AS (
  SELECT coalesce(CAST($to AS DATE), max(day)) AS last
  FROM activity_span
  WHERE platform = $platform
),
covered AS (
  SELECT count(*) AS days
  FROM activity_span
  CROSS JOIN ends
  WHERE platform = $platform AND covered AND day <= last AND day > last - CAST($window AS BIGINT)
),
-- From the window's last day back: a user counts under the value seen first.
last_values AS (
  SELECT bucket, dimension_value, bitmap_union(users) AS users
  FROM (
    SELECT
      bucket, dimension_value,
      bitmap_andnot(users, bitmap_union(users) OVER (
        PARTITION BY bucket ORDER BY day DESC, dimension_value ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      )) AS users
    FROM activity
    CROSS JOIN ends
    WHERE platform = $platform AND event = 'active' AND dimension = $dimension AND $dimension <> ''
      AND day <= last AND day > last - CAST($window AS BIGINT)
  )
  GROUP BY bucket, dimension_value
),
frequencies AS (
  SELECT '' AS dimension_value, bitmap_frequency(users) AS frequency
  FROM active
  CROSS JOIN ends
  WHERE platform = $platform AND dimension = '' AND $dimension = '' AND day <= last AND day > last - CAST($window AS BIGINT)
  GROUP BY bucket
  UNION ALL
  SELECT v.dimension_value, bitmap_frequency(bitmap_and(a.users, v.users))
  FROM active a
  CROSS JOIN ends
  JOIN last_values v ON v.bucket = a.bucket
  WHERE a.platform = $platform AND a.dimension = '' AND $dimension <> '' AND a.day <= last AND a.day > last - CAST($window AS BIGINT)
  GROUP BY a.bucket, v.dimension_value
),
counted AS (
  SELECT dimension_value, days, sum(users) AS users
  FROM (
    SELECT
      dimension_value, unnest(generate_series(1, CAST(cardinality(frequency) AS BIGINT))) AS days, unnest(frequency) AS users
    FROM frequencies
  )
  GROUP BY dimension_value, days
),
-- Counted without the frequencies, for the values to add up to.
totals AS (
  SELECT sum(users) AS active, sum(user_days) AS user_days
  FROM (
    SELECT
      bitmap_union_count(CASE WHEN $dimension <> '' THEN users END) AS users, sum(bitmap_count(users)) AS user_days
    FROM active
    CROSS JOIN ends
    WHERE platform = $platform AND dimension = '' AND day <= last AND day > last - CAST($window AS BIGINT)
    GROUP BY bucket
  )
),
dimension_values AS (
  SELECT '' AS dimension_value
  WHERE $dimension = ''
  UNION ALL
  SELECT DISTINCT dimension_value
  FROM last_values
  WHERE bitmap_count(users) > 0
),
-- Every number of days, also those that nobody has.
histogram AS (
  SELECT n.days, d.dimension_value, coalesce(c.users, 0) AS users, v.days AS covered_days
  FROM (SELECT unnest(generate_series(1, CAST($window AS BIGINT))) AS days) AS n
  CROSS JOIN dimension_values d
  CROSS JOIN covered v
  LEFT JOIN counted c ON c.days = n.days AND c.dimension_value = d.dimension_value
  WHERE v.days > 0
)
SELECT
  h.days, h.dimension_value, h.users,
  round(CAST(h.users AS DOUBLE) / nullif(sum(h.users) OVER (PARTITION BY h.dimension_value), 0), 6) AS share,
  sum(h.users) OVER (PARTITION BY h.dimension_value ORDER BY h.days DESC) AS at_least,
  sum(h.users) OVER (PARTITION BY h.dimension_value) AS active,
  CASE WHEN $dimension = '' THEN sum(h.users) OVER () ELSE coalesce(t.active, 0) END AS all_active,
  coalesce(t.user_days, 0) AS user_days,
  CASE WHEN h.covered_days = CAST($window AS BIGINT) THEN 'computed' ELSE 'unfinished' END AS mark
FROM histogram h
CROSS JOIN totals t
ORDER BY h.dimension_value, h.days
