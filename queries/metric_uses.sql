--- Which figures of the store use a metric: how many, of whom, over which span.
--! params:  metric TEXT
--! columns: platform TEXT, origin TEXT, figures BIGINT, first_day DATE, last_day DATE
--! grain:   platform, origin
--! report:  none
SELECT platform, origin, COUNT(*) AS figures, MIN(day) AS first_day, MAX(day) AS last_day
FROM (
  SELECT platform, 'statement' AS origin, as_of AS day FROM statements WHERE metric = $metric
  UNION ALL
  SELECT platform, 'usage' AS origin, day FROM daily WHERE metric = $metric
)
GROUP BY platform, origin
ORDER BY platform, origin
