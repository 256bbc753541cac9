--- Messages of each active user: mean and quantiles over the users of each day, week or month.
--- users: who was active and whose messages were counted (none where nobody's were); who sent none counts as 0. mean = messages / users. A quantile is the
--- smallest number of messages that at least that share of the users stay at or below (nearest rank, no interpolation): median
--- 50 %, p90 90 %, p99 99 %; exact, from every user's own count. A user's messages on several days and servers add up.
--- `unfinished`: a day of the period is not covered or messages of some of it were not counted, or the period is not over.
--- Where a month is given: from five months before it on.
--! params:  platform TEXT, by TEXT = week, from DATE = null, to DATE = null, month DATE = null
--! columns: period DATE, users BIGINT, messages BIGINT, mean DOUBLE, median BIGINT, p90 BIGINT, p99 BIGINT, most BIGINT, counted BIGINT, mark TEXT
--! grain:   period
--! assert:  median <= p90 AND p90 <= p99 AND p99 <= most
--! assert:  messages = counted
--! assert:  abs(mean * users - messages) <= 0.01 * users
--! chart:   line x=period y=median,p90,p99 titles="median,90 % send at most,99 % send at most" mark=mark
--! finding: {% set known = rows|selectattr("mark", "equalto", "computed")|rejectattr("median", "none")|list %}{% if known %}{% set last = known[-1] %}{{ params.platform }}: at least half of the active users sent {{ last.median|short }} messages or fewer in {% if params.by == "month" %}{{ last.period|month }}{% else %}the {{ params.by }} of {{ last.period|day }}{% endif %}, the mean is {{ last.mean|short }}{% else %}No {{ params.by }} whose messages are counted in full{% endif %}
--! subtitle: messages / active users of each {{ params.by }}
--! report:  section=activity order=70
--! privacy: users, messages
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
-- How many users have so many messages. Beside a bucket's histogram stands one row more, which holds what was added
-- from the rows and whether all were counted, also where nobody's were.
histogram AS (
  SELECT period, messages, sum(users) AS users, sum(total) AS total, bool_and(all_counted) AS all_counted
  FROM (
    SELECT
      period, element['messages'] AS messages, element['users'] AS users, CASE WHEN number = 0 THEN total END AS total, all_counted
    FROM (
      SELECT
        period, unnest(elements) AS element, unnest(generate_series(0, coalesce(CAST(cardinality(elements) AS BIGINT), 0))) AS number,
        total, all_counted
      FROM (SELECT period, counts_histogram(messages, users) AS elements, total, all_counted FROM sets)
    )
  )
  GROUP BY period, messages
),
ranked AS (
  SELECT
    period, messages, users, total,
    bool_and(all_counted) OVER (PARTITION BY period) AS all_counted,
    sum(users) OVER (PARTITION BY period ORDER BY messages) AS at_most, sum(users) OVER (PARTITION BY period) AS everyone
  FROM histogram
),
figures AS (
  SELECT
    period, sum(users) AS users, sum(users * messages) AS messages, sum(total) AS counted, bool_and(all_counted) AS all_counted,
    min(messages) FILTER (WHERE 100 * at_most >= 50 * everyone) AS median,
    min(messages) FILTER (WHERE 100 * at_most >= 90 * everyone) AS p90,
    min(messages) FILTER (WHERE 100 * at_most >= 99 * everyone) AS p99,
    max(messages) AS most
  FROM ranked
  GROUP BY period
)
SELECT
  c.period, CASE WHEN c.known AND f.period IS NULL THEN 0 ELSE f.users END AS users,
  CASE WHEN c.known AND f.period IS NULL THEN 0 ELSE f.messages END AS messages,
  round(CAST(f.messages AS DOUBLE) / nullif(f.users, 0), 2) AS mean, f.median, f.p90, f.p99, f.most,
  CASE WHEN c.known AND f.period IS NULL THEN 0 ELSE f.counted END AS counted,
  CASE WHEN c.whole AND coalesce(f.all_counted, true) THEN 'computed' ELSE 'unfinished' END AS mark
FROM calendar c
LEFT JOIN figures f ON f.period = c.period
WHERE c.period >= period_start(coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '5 months' AS DATE), DATE '0001-02-01'), $by)
ORDER BY c.period
