--- One measure of one platform, day by day, with the mean of 7 days.
--- The mean stands only where all 7 days are known and over: a day that is left out (a jump, a fall, a
--- gap) or unfinished leaves the 6 days after it without one. Servers add up for flows and levels, and for users where they are a network: `servers`
--- reported of `known_servers`, and of `carried` ones the last figure stands for the day (mark `interpolated`). Where a
--- month is given: that month and the two before it.
--! params:  platform TEXT, metric TEXT = messages, from DATE = null, to DATE = null, month DATE = null
--! columns: metric TEXT, day DATE, value BIGINT, mean_7d DOUBLE, flag TEXT, servers BIGINT, known_servers BIGINT, carried BIGINT, mark TEXT
--! grain:   metric, day
--! chart:   columns x=day y=value series=metric overlay=mean_7d mark=mark
--! finding: {% set known = rows|rejectattr("value", "none")|rejectattr("flag", "equalto", "unfinished")|list %}{% if known %}{% set top = (known|sort(attribute="value"))[-1] %}{{ params.platform }}: most {{ top.metric|title_of }} on {{ top.day|day }}, {{ top.value|short }}{% else %}No whole day is known{% endif %}
--! subtitle: {% if rows %}{{ rows[0].metric|title_of }} {% endif %}by day; the line is the mean of 7 known days
--! report:  section=messages order=20
--! privacy: value, mean_7d
WITH days AS (
  SELECT metric, measure, day, value, flag, servers, known_servers, carried, CASE WHEN flag <> 'unfinished' THEN value END AS whole
  FROM platform_days
  WHERE platform = $platform AND $metric IN (measure, metric)
),
averaged AS (
  SELECT
    *,
    -- An exact sum over 7 calendar days, whatever is missing from them.
    CASE WHEN count(whole) OVER week = 7 THEN
      CAST(sum(CAST(whole AS DECIMAL(38, 0))) OVER week AS DOUBLE) / 7
    END AS mean_7d
  FROM days
  WINDOW week AS (PARTITION BY metric ORDER BY arrow_cast(day, 'Int32') RANGE BETWEEN 6 PRECEDING AND CURRENT ROW)
)
SELECT
  metric, day, value, round(mean_7d, 2) AS mean_7d, flag, servers, known_servers, carried,
  CASE WHEN carried > 0 THEN 'interpolated' WHEN flag = 'unfinished' THEN 'unfinished' WHEN flag <> '' THEN 'artefact' ELSE 'computed' END AS mark
FROM averaged
WHERE ($from IS NULL OR day >= CAST($from AS DATE))
  AND ($to IS NULL OR day <= CAST($to AS DATE))
  AND ($month IS NULL OR day < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE))
  AND ($month IS NULL OR $from IS NOT NULL OR day >= CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE))
ORDER BY metric, day
