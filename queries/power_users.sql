--- How often users come: the users by their number of active days in the window, L28 or L7.
--- The window is the `window` days that end on `to` (without it: on the last covered day). users: active on exactly so
--- many days; at_least: on so many or more, so that of 1 day it is the window's active users; share: of those.
--- `unfinished`: not every day of the window is covered, so that users may have been active on more days.
--! params:  platform TEXT, window BIGINT = 28, to DATE = null
--! columns: days BIGINT, users BIGINT, share DOUBLE, at_least BIGINT, active BIGINT, user_days BIGINT, mark TEXT
--! grain:   days
--! assert:  sum(users) OVER () = active
--! assert:  sum(users * days) OVER () = user_days
--! assert:  at_least >= users
--! chart:   histogram x=days y=users share=share mark=mark
--! finding: {% if rows and rows[0].active %}{% set every = rows[-1] %}{{ params.platform }}: {{ every.share|pct }} of the active users came on every one of {{ params.window }} days, {{ rows[0].share|pct }} on one only{% if every.mark == "unfinished" %}, as far as days are covered{% endif %}{% else %}Nobody was active{% endif %}
--! subtitle: users by number of active days in the {{ params.window }} days that end on the last day asked for
--! report:  section=activity order=50
--! privacy: users, at_least, active, user_days
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
frequencies AS (
  SELECT bitmap_frequency(users) AS frequency, sum(bitmap_count(users)) AS user_days
  FROM active
  CROSS JOIN ends
  WHERE platform = $platform AND dimension = '' AND day <= last AND day > last - CAST($window AS BIGINT)
  GROUP BY bucket
),
counted AS (
  SELECT days, sum(users) AS users, sum(user_days) AS user_days
  FROM (
    -- What a bucket's days sum up to stands with its first element only.
    SELECT days, users, CASE WHEN days = 1 THEN user_days ELSE 0 END AS user_days
    FROM (
      SELECT
        unnest(generate_series(1, CAST(cardinality(frequency) AS BIGINT))) AS days, unnest(frequency) AS users, user_days
      FROM frequencies
    )
  )
  GROUP BY days
),
-- Every number of days, also those that nobody has.
histogram AS (
  SELECT n.days, coalesce(c.users, 0) AS users, coalesce(c.user_days, 0) AS user_days, v.days AS covered_days
  FROM (SELECT unnest(generate_series(1, CAST($window AS BIGINT))) AS days) AS n
  CROSS JOIN covered v
  LEFT JOIN counted c ON c.days = n.days
  WHERE v.days > 0
)
SELECT
  days, users, round(CAST(users AS DOUBLE) / nullif(sum(users) OVER (), 0), 6) AS share,
  sum(users) OVER (ORDER BY days DESC) AS at_least, sum(users) OVER () AS active, sum(user_days) OVER () AS user_days,
  CASE WHEN covered_days = CAST($window AS BIGINT) THEN 'computed' ELSE 'unfinished' END AS mark
FROM histogram
ORDER BY days
