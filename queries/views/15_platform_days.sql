--- One figure a platform, metric and day a row, over its servers. What is computed from activity (status
--- `computed`) goes before every counter; a figure of the whole platform (server empty) goes before those of its servers; flows and levels of servers add up, and `servers` says how many
--- reported; distinct users of several servers don't add up and give no row.
WITH figures AS (
  SELECT platform, metric, measure, kind, day, server, value, status, flag, false AS from_activity
  FROM daily
  WHERE dimension = ''
  UNION ALL
  SELECT a.platform, a.metric, m.measure, m.kind, a.day, a.server, a.value, a.status, a.flag, true
  FROM activity_days a
  JOIN metrics m ON m.metric = a.metric
),
totals AS (
  SELECT
    platform, metric, measure, kind, day,
    bool_or(from_activity) AS has_activity,
    max(CASE WHEN from_activity THEN value END) AS computed,
    max(CASE WHEN from_activity THEN flag END) AS computed_flag,
    max(CASE WHEN server = '' THEN value END) AS whole,
    bool_or(server = '') AS has_whole,
    -- Sums of large counts stay exact and can't overflow.
    sum(CAST(value AS DECIMAL(38, 0))) AS parts,
    count(*) AS servers,
    count(value) AS known,
    min(status) AS status,
    max(CASE WHEN server = '' THEN flag END) AS whole_flag,
    max(flag) AS worst_flag
  FROM figures
  GROUP BY platform, metric, measure, kind, day
)
SELECT
  platform, metric, measure, kind, day,
  CASE
    WHEN has_activity THEN computed
    WHEN has_whole THEN whole
    WHEN parts <= 9223372036854775807 THEN CAST(parts AS BIGINT)
  END AS value,
  CASE WHEN has_activity THEN 'computed' ELSE status END AS status,
  CASE
    WHEN has_activity THEN computed_flag
    WHEN has_whole THEN whole_flag
    -- Of several servers a day is marked when it is not over for one, or nothing of it is known.
    WHEN servers = 1 OR known = 0 OR worst_flag = 'unfinished' THEN worst_flag
    ELSE ''
  END AS flag,
  CASE WHEN has_whole THEN 1 ELSE servers END AS servers
FROM totals
WHERE kind <> 'distinct' OR has_whole OR servers = 1
