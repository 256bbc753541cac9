--- Figures that are hardly so, one a row. They count, and are shown as doubtful.
--- leap: at least 100 and more than 5 times the most of the 28 days before, of which at least 7 are known; flat: the same
--- figure of at least 100 on 21 days or more in a row, which only levels may be (`day` is the last of them, `days` how many, `against` the figure);
--- restated: a file was read again with another figure for the day (`against` is the one before). Falls and
--- jumps of counts since the beginning stand in `flags`.
WITH days AS (
  SELECT
    platform, server, metric, day, value, kind,
    max(value) OVER before AS most_before, count(value) OVER before AS known_before,
    CASE WHEN lag(value) OVER in_time = value AND day - lag(day) OVER in_time = 1 THEN 0 ELSE 1 END AS begins
  FROM daily
  WHERE dimension = '' AND value IS NOT NULL AND flag = ''
  WINDOW
    in_time AS (PARTITION BY platform, server, metric, kind ORDER BY day),
    before AS (
      PARTITION BY platform, server, metric, kind ORDER BY arrow_cast(day, 'Int32') RANGE BETWEEN 28 PRECEDING AND 1 PRECEDING
    )
),
runs AS (
  SELECT
    platform, server, metric, kind, day, value,
    sum(begins) OVER (PARTITION BY platform, server, metric, kind ORDER BY day) AS run
  FROM days
),
flat AS (
  SELECT platform, server, metric, max(day) AS day, max(value) AS value, count(*) AS days
  FROM runs
  WHERE value >= 100 AND kind <> 'level'
  GROUP BY platform, server, metric, kind, run
  HAVING count(*) >= 21
),
restated AS (
  SELECT n.platform, n.server, n.metric, n.day, max(n.value) AS value, max(o.value) AS before
  FROM replaced_usage o
  JOIN usage n
    ON n.platform = o.platform AND n.server = o.server AND n.metric = o.metric AND n.day = o.day AND n.kind = o.kind
    AND n.dimension = o.dimension AND n.dimension_value = o.dimension_value
    AND arrow_cast(n.at, 'Int64') IS NOT DISTINCT FROM arrow_cast(o.at, 'Int64')
  WHERE n.value <> o.value AND n.dimension = ''
  GROUP BY n.platform, n.server, n.metric, n.day
)
SELECT platform, server, metric, day, value, 'leap' AS rule, most_before AS against, CAST(1 AS BIGINT) AS days
FROM days
WHERE value >= 100 AND known_before >= 7 AND value > 5 * most_before
UNION ALL
SELECT platform, server, metric, day, value, 'flat', value AS against, days
FROM flat
UNION ALL
SELECT platform, server, metric, day, value, 'restated', before, CAST(1 AS BIGINT)
FROM restated
