--- One figure a platform, metric and day a row, over its servers. What is computed from activity (status
--- `computed`) goes before every counter; a figure of the whole platform (server empty) goes before those of its servers; flows and levels of servers add up, and `servers` says how many
--- reported; distinct users of several servers don't add up and give no row, but for a network (`network` in essor.toml), whose
--- servers count accounts of their own: its sums are of accounts. `known_servers` are those that were to report, `carried` those whose
--- last figure stands for a silent day. What is `impossible` stays out; both are null for what is no network. Where the activity
--- of some of a network's servers is there, the counters of the others are added to what is computed from it.
WITH figures AS (
  SELECT
    d.platform, d.metric, d.measure, d.kind, d.day, d.server, d.value, d.status, d.flag, false AS from_activity,
    d.server <> '' AND s.server IS NULL AS besides_activity
  FROM daily d
  LEFT JOIN activity_servers s ON s.platform = d.platform AND s.server = d.server AND s.day = d.day
  LEFT JOIN impossible i ON i.platform = d.platform AND i.server = d.server AND i.metric = d.metric AND i.day = d.day
  WHERE d.dimension = '' AND i.platform IS NULL
  UNION ALL
  SELECT a.platform, a.metric, m.measure, m.kind, a.day, a.server, a.value, a.status, a.flag, true, false
  FROM activity_days a
  JOIN metrics m ON m.metric = a.metric
  UNION ALL
  -- A day on which every server of a network is silent has the figures that are carried to it.
  SELECT n.platform, n.metric, m.measure, m.kind, n.day, NULL, CAST(NULL AS BIGINT), 'reported', '', false, false
  FROM network_days n
  JOIN metrics m ON m.metric = n.metric
  WHERE n.reported = 0 AND n.carried > 0
),
totals AS (
  SELECT
    platform, metric, measure, kind, day,
    bool_or(from_activity) AS has_activity,
    max(CASE WHEN from_activity THEN value END) AS computed,
    max(CASE WHEN from_activity THEN flag END) AS computed_flag,
    max(CASE WHEN server = '' THEN value END) AS whole,
    coalesce(bool_or(server = ''), false) AS has_whole,
    -- Sums of large counts stay exact and can't overflow.
    sum(CAST(value AS DECIMAL(38, 0))) AS parts,
    sum(CASE WHEN besides_activity THEN CAST(value AS DECIMAL(38, 0)) END) AS other_parts,
    count(server) AS servers,
    count(value) AS known,
    min(status) AS status,
    max(CASE WHEN server = '' THEN flag END) AS whole_flag,
    max(flag) AS worst_flag
  FROM figures
  GROUP BY platform, metric, measure, kind, day
),
covering AS (
  SELECT platform, day, count(*) AS servers
  FROM activity_servers
  GROUP BY platform, day
),
summed AS (
  SELECT
    t.*, n.known AS known_servers, n.carried, n.reported, t.has_activity AND c.servers > 0 AS in_part,
    CASE WHEN t.has_activity THEN CAST(t.computed AS DECIMAL(38, 0)) + coalesce(t.other_parts, CAST(0 AS DECIMAL(38, 0)))
      WHEN t.servers = 0 THEN CAST(0 AS DECIMAL(38, 0)) ELSE t.parts END
      + coalesce(n.carried_value, CAST(0 AS DECIMAL(38, 0))) AS all_parts
  FROM totals t
  LEFT JOIN covering c ON c.platform = t.platform AND c.day = t.day
  LEFT JOIN network_days n ON n.platform = t.platform AND n.metric = t.metric AND n.day = t.day
)
SELECT
  platform, metric, measure, kind, day,
  CASE
    WHEN has_activity AND NOT coalesce(in_part, false) THEN computed
    WHEN has_whole AND NOT has_activity THEN whole
    WHEN all_parts <= 9223372036854775807 THEN CAST(all_parts AS BIGINT)
  END AS value,
  CASE WHEN has_activity THEN 'computed' ELSE status END AS status,
  CASE
    WHEN has_activity THEN computed_flag
    WHEN has_whole THEN whole_flag
    -- Of several servers a day is marked when it is not over for one, or nothing of it is known.
    WHEN servers = 1 OR known = 0 OR worst_flag = 'unfinished' THEN worst_flag
    ELSE ''
  END AS flag,
  CASE WHEN in_part THEN reported WHEN has_whole THEN 1 ELSE servers END AS servers,
  CASE WHEN in_part OR NOT has_whole THEN known_servers END AS known_servers,
  CASE WHEN in_part OR NOT has_whole THEN carried END AS carried
FROM summed
WHERE kind <> 'distinct' OR has_whole OR servers = 1 OR known_servers IS NOT NULL
