--- New accounts and new active users of each day: signups, and first activity ever.
--- signups: users whose (first) signup is on the day; known on the days that a live load with signups spans, zero there if
--- silent. new_users: first activity ever, by the rule of growth_accounting: a signup before the loaded history makes it no new
--- user's, and of the first day it is known only where every user first seen there has a known signup; of a day after one
--- that is not covered it is not known: they may have come on that one. `unfinished`: the day is not covered. Where a month is given: that month and the two before it.
--! params:  platform TEXT, from DATE = null, to DATE = null, month DATE = null
--! columns: day DATE, signups BIGINT, new_users BIGINT, mark TEXT
--! grain:   day
--! assert:  signups >= 0
--! assert:  new_users >= 0
--! chart:   columns x=day y=new_users mark=mark
--! finding: {% set known = rows|rejectattr("new_users", "none")|list %}{% if known %}{{ params.platform }}: {{ known|map(attribute="new_users")|sum|short }} new active users in the {{ known|length }} day{{ "" if known|length == 1 else "s" }} that {{ "is" if known|length == 1 else "are" }} known, to {{ known[-1].day|day }}{% else %}No day whose new users are known{% endif %}
--! subtitle: users active for the first time, by day
--! report:  section=activity order=110
--! privacy: signups, new_users
WITH history AS (
  SELECT
    day, covered, first_day, lag(covered) OVER (ORDER BY day) AS covered_before
  FROM activity_span
  WHERE platform = $platform AND day <= coalesce(CAST($to AS DATE), CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE), DATE '9999-12-31')
),
signup_days AS (
  SELECT DISTINCT unnest(generate_series(l.first_day, l.last_day, INTERVAL '1 day')) AS day
  FROM (SELECT DISTINCT load FROM activity WHERE platform = $platform AND event = 'signup') AS a
  JOIN loads l ON l.load = a.load
  WHERE l.first_day IS NOT NULL AND l.last_day IS NOT NULL
),
signed_up AS (
  SELECT
    s.bucket, bitmap_union(s.users) AS users,
    bitmap_union(CASE WHEN s.day < h.first_day THEN s.users END) AS early
  FROM activity s
  CROSS JOIN (SELECT min(first_day) AS first_day FROM history) AS h
  WHERE s.platform = $platform AND s.event = 'signup'
    AND s.day <= coalesce(CAST($to AS DATE), CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE), DATE '9999-12-31')
  GROUP BY s.bucket
),
signups AS (
  SELECT day, sum(users) AS users
  FROM (
    SELECT
      day, bitmap_andnot_count(users, bitmap_union(users) OVER (
        PARTITION BY bucket ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      )) AS users
    FROM activity
    WHERE platform = $platform AND event = 'signup'
  )
  GROUP BY day
),
firsts AS (
  SELECT
    day, bucket,
    bitmap_andnot(users, bitmap_union(users) OVER (
      PARTITION BY bucket ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )) AS users
  FROM active
  WHERE platform = $platform AND dimension = ''
    AND day <= coalesce(CAST($to AS DATE), CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE), DATE '9999-12-31')
),
new AS (
  SELECT
    f.day, sum(bitmap_andnot_count(f.users, s.early)) AS users, sum(bitmap_andnot_count(f.users, s.users)) AS without_signup
  FROM firsts f
  LEFT JOIN signed_up s ON s.bucket = f.bucket
  GROUP BY f.day
)
SELECT
  h.day,
  CASE WHEN d.day IS NOT NULL THEN coalesce(s.users, 0) END AS signups,
  CASE WHEN h.covered AND (coalesce(h.covered_before, false) OR h.covered_before IS NULL AND coalesce(n.without_signup, 0) = 0)
    THEN coalesce(n.users, 0) END AS new_users,
  CASE WHEN h.covered THEN 'computed' ELSE 'unfinished' END AS mark
FROM history h
LEFT JOIN signup_days d ON d.day = h.day
LEFT JOIN signups s ON s.day = h.day
LEFT JOIN new n ON n.day = h.day
WHERE h.day >= coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE), DATE '0001-02-01')
ORDER BY h.day
