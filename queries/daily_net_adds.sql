--- Accounts added each day, net of deletions: the month and the two before it.
--- Differences of the last readings of consecutive days. A jump (a change in what was counted), a fall or a
--- day after a gap is left out and marked; a day that is not over is marked and not in the mean, which
--- stands only where all 7 days are known.
--! params:  month DATE, platform TEXT
--! columns: day DATE, net_adds BIGINT, mean_7d DOUBLE, flag TEXT, mark TEXT
--! grain:   day
--! chart:   columns x=day y=net_adds overlay=mean_7d mark=mark
--! finding: {% set known = rows|rejectattr("net_adds", "none")|rejectattr("flag", "equalto", "unfinished")|list %}{% if known %}{% set top = (known|sort(attribute="net_adds"))[-1] %}{{ params.platform }} added most on {{ top.day|day }}: {{ top.net_adds|exact }} accounts{% else %}No whole day is known{% endif %}
--! subtitle: net added accounts by day; the line is the mean of 7 known days
--! report:  section=growth order=50
--! privacy: net_adds, mean_7d
WITH days AS (
  SELECT day, value, flag, CASE WHEN flag <> 'unfinished' THEN value END AS whole
  FROM platform_days
  WHERE platform = $platform AND metric = 'net_adds'
    AND day < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE)
    AND day >= CAST(CAST($month AS DATE) - INTERVAL '2 months' - INTERVAL '6 days' AS DATE)
),
averaged AS (
  SELECT
    *,
    CASE WHEN count(whole) OVER week = 7 THEN
      CAST(sum(CAST(whole AS DECIMAL(38, 0))) OVER week AS DOUBLE) / 7
    END AS mean_7d
  FROM days
  WINDOW week AS (ORDER BY arrow_cast(day, 'Int32') RANGE BETWEEN 6 PRECEDING AND CURRENT ROW)
)
SELECT
  day, value AS net_adds, round(mean_7d, 2) AS mean_7d, flag,
  CASE WHEN flag = 'unfinished' THEN 'unfinished' WHEN flag <> '' THEN 'artefact' ELSE 'computed' END AS mark
FROM averaged
WHERE day >= CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE)
ORDER BY day
