--- Messages of each active user: mean and quantiles over the users of each day, week or month.
--- users: who was active and whose messages were counted (none where nobody's were); who sent none counts as 0. mean = messages / users. A quantile is the
--- smallest number of messages that at least that share of the users stay at or below (nearest rank, no interpolation): median
--- 50 %, p90 90 %, p99 99 %; exact, from every user's own count. A user's messages on several days and servers add up.
--- By a dimension users count under the value of their last active day in the period (of several values on that day the first in
--- byte order) with all their messages of the period, so that users add up to `all_users` and messages to `counted`.
--- `unfinished`: a day of the period is not covered or messages of some of it were not counted, or the period is not over.
--- Where a month is given: from five months before it on.
--! params:  platform TEXT, by TEXT = week, dimension TEXT = '', from DATE = null, to DATE = null, month DATE = null
--! columns: period DATE, dimension_value TEXT, users BIGINT, all_users BIGINT, messages BIGINT, mean DOUBLE, median BIGINT, p90 BIGINT, p99 BIGINT, most BIGINT, counted BIGINT, mark TEXT
--! grain:   period, dimension_value
--! assert:  median <= p90 AND p90 <= p99 AND p99 <= most
--! assert:  sum(messages) OVER (PARTITION BY period) = counted
--! assert:  sum(users) OVER (PARTITION BY period) = all_users
--! assert:  abs(mean * users - messages) <= 0.01 * users
--! chart:   line x=period y=p99,p90,median titles="99 % send at most,90 % send at most,median" mark=mark series=dimension_value weight=users
--! finding: {% set known = rows|selectattr("mark", "equalto", "computed")|rejectattr("median", "none")|list %}{% if known %}{% set latest = known[-1].period %}{% set last = (known|selectattr("period", "equalto", latest)|list|sort(attribute="users"))[-1] %}{{ params.platform }}: at least half of the active users{% if params.dimension %} of {{ last.dimension_value or "not known" }}{% endif %} sent {{ last.median|short }} messages or fewer in {% if params.by == "month" %}{{ last.period|month }}{% else %}the {{ params.by }} of {{ last.period|day }}{% endif %}, the mean is {{ last.mean|short }}{% else %}No {{ params.by }} whose messages are counted in full{% endif %}
--! subtitle: messages / active users of each {{ params.by }}{% if params.dimension %}, by {{ params.dimension }} of the last active day: the median{% endif %}
--! report:  section=activity order=70
--! privacy: users, all_users, messages, counted
WITH calendar AS (
  SELECT
    period_start(day, $by) AS period, bool_or(covered) AS known,
    bool_and(covered) AND min(day) = period_start(min(day), $by)
      AND period_start(max(day) + 1, $by) > max(day) AS whole
  FROM activity_span
  WHERE platform = $platform AND ($to IS NULL OR day <= CAST($to AS DATE))
  GROUP BY period_start(day, $by)
),
sets AS (
  SELECT
    period_start(day, $by) AS period, bucket,
    bitmap_union(CASE WHEN messages IS NOT NULL THEN users END) AS users, counts_add(messages) AS messages,
    sum(counts_sum(messages)) AS total, bool_and(messages IS NOT NULL) AS all_counted
  FROM activity
  WHERE platform = $platform AND event = 'active' AND dimension = ''
    AND ($to IS NULL OR day <= CAST($to AS DATE)) AND day >= period_start(coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '5 months' AS DATE), DATE '0001-02-01'), $by)
  GROUP BY period_start(day, $by), bucket
),
-- What was added from the rows, for the histogram to add up to.
totals AS (
  SELECT period, sum(bitmap_count(users)) AS users, sum(total) AS messages, bool_and(all_counted) AS all_counted
  FROM sets
  GROUP BY period
),
-- From the period's last day back: a user counts under the value seen first.
last_values AS (
  SELECT period, bucket, dimension_value, bitmap_union(users) AS users
  FROM (
    SELECT
      period, bucket, dimension_value,
      bitmap_andnot(users, bitmap_union(users) OVER (
        PARTITION BY period, bucket ORDER BY day DESC, dimension_value ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      )) AS users
    FROM (
      SELECT period_start(day, $by) AS period, day, bucket, dimension_value, users
      FROM activity
      WHERE platform = $platform AND event = 'active' AND dimension = $dimension AND $dimension <> ''
        AND ($to IS NULL OR day <= CAST($to AS DATE)) AND day >= period_start(coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '5 months' AS DATE), DATE '0001-02-01'), $by)
    )
  )
  GROUP BY period, bucket, dimension_value
),
parts AS (
  SELECT period, '' AS dimension_value, counts_histogram(messages, users) AS elements
  FROM sets
  WHERE $dimension = ''
  UNION ALL
  SELECT s.period, v.dimension_value, counts_histogram(counts_restrict(s.messages, v.users), bitmap_and(s.users, v.users))
  FROM sets s
  JOIN last_values v ON v.period = s.period AND v.bucket = s.bucket
  WHERE $dimension <> ''
),
-- How many users have so many messages.
histogram AS (
  SELECT period, dimension_value, element['messages'] AS messages, sum(element['users']) AS users
  FROM (SELECT period, dimension_value, unnest(elements) AS element FROM parts)
  GROUP BY period, dimension_value, element['messages']
),
ranked AS (
  SELECT
    period, dimension_value, messages, users,
    sum(users) OVER (PARTITION BY period, dimension_value ORDER BY messages) AS at_most,
    sum(users) OVER (PARTITION BY period, dimension_value) AS everyone
  FROM histogram
),
figures AS (
  SELECT
    period, dimension_value, sum(users) AS users, sum(users * messages) AS messages,
    min(messages) FILTER (WHERE 100 * at_most >= 50 * everyone) AS median,
    min(messages) FILTER (WHERE 100 * at_most >= 90 * everyone) AS p90,
    min(messages) FILTER (WHERE 100 * at_most >= 99 * everyone) AS p99,
    max(messages) AS most
  FROM ranked
  GROUP BY period, dimension_value
)
SELECT
  c.period, coalesce(f.dimension_value, '') AS dimension_value,
  CASE WHEN c.known AND t.period IS NULL THEN 0 ELSE f.users END AS users,
  CASE WHEN c.known AND t.period IS NULL THEN 0 WHEN f.users IS NOT NULL THEN t.users END AS all_users,
  CASE WHEN c.known AND t.period IS NULL THEN 0 ELSE f.messages END AS messages,
  round(CAST(f.messages AS DOUBLE) / nullif(f.users, 0), 2) AS mean, f.median, f.p90, f.p99, f.most,
  CASE WHEN c.known AND t.period IS NULL THEN 0 ELSE t.messages END AS counted,
  CASE WHEN c.whole AND coalesce(t.all_counted, true) THEN 'computed' ELSE 'unfinished' END AS mark
FROM calendar c
LEFT JOIN totals t ON t.period = c.period
LEFT JOIN figures f ON f.period = c.period
WHERE ($dimension = '' OR f.period IS NOT NULL) AND c.period >= period_start(coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '5 months' AS DATE), DATE '0001-02-01'), $by)
ORDER BY c.period, dimension_value
