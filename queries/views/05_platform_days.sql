--- One figure a platform, metric and day a row, over its servers. A figure of the whole platform (server
--- empty) goes before those of its servers; flows and levels of servers add up, and `servers` says how many
--- reported; distinct users of several servers don't add up and give no row.
WITH totals AS (
  SELECT
    platform, metric, measure, kind, day,
    max(CASE WHEN server = '' THEN value END) AS whole,
    bool_or(server = '') AS has_whole,
    -- Sums of large counts stay exact and can't overflow.
    sum(CAST(value AS DECIMAL(38, 0))) AS parts,
    count(*) AS servers,
    count(value) AS known,
    min(status) AS status,
    max(CASE WHEN server = '' THEN flag END) AS whole_flag,
    max(flag) AS worst_flag
  FROM daily
  WHERE dimension = ''
  GROUP BY platform, metric, measure, kind, day
)
SELECT
  platform, metric, measure, kind, day,
  CASE
    WHEN has_whole THEN whole
    WHEN parts <= 9223372036854775807 THEN CAST(parts AS BIGINT)
  END AS value,
  status,
  CASE
    WHEN has_whole THEN whole_flag
    -- Of several servers a day is marked when it is not over for one, or nothing of it is known.
    WHEN servers = 1 OR known = 0 OR worst_flag = 'unfinished' THEN worst_flag
    ELSE ''
  END AS flag,
  CASE WHEN has_whole THEN 1 ELSE servers END AS servers
FROM totals
WHERE kind <> 'distinct' OR has_whole OR servers = 1
