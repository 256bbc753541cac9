--- On which weekdays people write: mean messages a day over the month, by weekday (1 is Monday).
--- A query of your own: change it, or delete it. It is listed, runs, is drawn and stands in the report.
--! params:   month DATE, platform TEXT
--! columns:  weekday BIGINT, days BIGINT, messages DOUBLE
--! grain:    weekday
--! chart:    columns x=weekday y=messages
--! subtitle: Mean messages a day, by ISO weekday
--! report:   section=messages order=900
--! privacy:  none
SELECT
  CAST((date_part('dow', day) + 6) % 7 + 1 AS BIGINT) AS weekday,
  COUNT(*) AS days,
  ROUND(AVG(CAST(value AS DOUBLE)), 1) AS messages
FROM daily
WHERE
  platform = $platform
  AND metric = 'messages_sent'
  AND value IS NOT NULL
  AND date_trunc('month', day) = $month
GROUP BY 1
ORDER BY 1
