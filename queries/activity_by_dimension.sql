--- Who the active users of each month are, by a dimension: users, their share and their messages.
--- A user counts under the value of the last active day in the month (of several values on that day the first in
--- byte order), so that the values add up to `all_users`. Messages count where they were sent. share = users / all_users.
--- An empty value is not known. `unfinished`: a day of the month is not covered, or it is not over. Without a dimension there
--- is nothing to divide: no rows.
--! params:  platform TEXT, dimension TEXT = '', from DATE = null, to DATE = null
--! columns: month DATE, dimension_value TEXT, users BIGINT, share DOUBLE, all_users BIGINT, messages BIGINT, all_messages BIGINT, mark TEXT
--! grain:   month, dimension_value
--! assert:  sum(users) OVER (PARTITION BY month) = all_users
--! assert:  sum(messages) OVER (PARTITION BY month) = all_messages
--! assert:  abs(sum(share) OVER (PARTITION BY month) - 1) <= 0.000001 * count(*) OVER (PARTITION BY month)
--! chart:   line x=month y=share series=dimension_value mark=mark
--! finding: {% if rows %}{% set last = rows[-1].month %}{% set now = (rows|selectattr("month", "equalto", last)|list|sort(attribute="users"))[-1] %}{{ params.platform }}: most active users by {{ params.dimension }} in {{ last|month }}: {{ now.dimension_value or "not known" }}, {{ now.share|pct }}{% else %}No activity by {{ params.dimension }}{% endif %}
--! subtitle: share of each month's active users, by {{ params.dimension }} of the last active day
--! report:  section=activity order=90
--! privacy: users, all_users, messages, all_messages
WITH calendar AS (
  SELECT
    period_start(day, 'month') AS month,
    bool_and(covered) AND min(day) = period_start(min(day), 'month')
      AND period_start(max(day) + 1, 'month') > max(day) AS whole
  FROM activity_span
  WHERE platform = $platform AND ($to IS NULL OR day <= CAST($to AS DATE))
  GROUP BY period_start(day, 'month')
),
-- From the month's last day back: a user counts where seen first.
last_values AS (
  SELECT
    month, bucket, dimension_value, counts_sum(messages) AS messages,
    bitmap_andnot(users, bitmap_union(users) OVER (
      PARTITION BY month, bucket ORDER BY day DESC, dimension_value ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )) AS users
  FROM (
    SELECT period_start(day, 'month') AS month, day, bucket, dimension_value, users, messages
    FROM activity
    WHERE platform = $platform AND event = 'active' AND dimension = $dimension AND $dimension <> ''
      AND ($to IS NULL OR day <= CAST($to AS DATE)) AND ($from IS NULL OR day >= period_start(CAST($from AS DATE), 'month'))
  )
),
parts AS (
  SELECT month, dimension_value, sum(users) AS users, sum(messages) AS messages
  FROM (
    SELECT month, bucket, dimension_value, bitmap_union_count(users) AS users, sum(messages) AS messages
    FROM last_values
    GROUP BY month, bucket, dimension_value
  )
  GROUP BY month, dimension_value
),
-- Counted without the dimension, for the values to add up to.
totals AS (
  SELECT month, sum(users) AS users, sum(messages) AS messages
  FROM (
    SELECT
      period_start(day, 'month') AS month, bucket, bitmap_union_count(users) AS users, sum(counts_sum(messages)) AS messages
    FROM activity
    WHERE platform = $platform AND event = 'active' AND dimension = '' AND $dimension <> ''
      AND ($to IS NULL OR day <= CAST($to AS DATE)) AND ($from IS NULL OR day >= period_start(CAST($from AS DATE), 'month'))
    GROUP BY period_start(day, 'month'), bucket
  )
  GROUP BY month
)
SELECT
  p.month, p.dimension_value, p.users, round(CAST(p.users AS DOUBLE) / nullif(t.users, 0), 6) AS share, t.users AS all_users,
  p.messages, t.messages AS all_messages, CASE WHEN c.whole THEN 'computed' ELSE 'unfinished' END AS mark
FROM parts p
JOIN totals t ON t.month = p.month
JOIN calendar c ON c.month = p.month
ORDER BY p.month, p.users DESC, p.dimension_value
