--- One day of one series of levels or counters (platform, server, metric, dimension) a row: its last
--- reading, the change since the day before, and whether that change is growth or an artefact.
--- The base of `daily` and `flags`; the rules in words: README.md beside this file.
--! hold: yes
WITH moments AS (
  SELECT
    platform, server, metric, kind, dimension, dimension_value, day, at, value, status,
    -- One key a series and one a moment: windows over hourly readings sort by few columns.
    concat_ws(chr(31), platform, server, metric, kind, dimension, dimension_value) AS series,
    coalesce(arrow_cast(at, 'Int64'), 86400000000 * arrow_cast(day, 'Int64')) AS moment
  FROM usage
  WHERE kind IN ('level', 'counter')
),
readings AS (
  SELECT
    *,
    value - lag(value) OVER in_time AS step,
    -- A source in whole days has steps of whole days.
    (moment - lag(moment) OVER in_time) / 3600000000.0 AS step_hours
  FROM moments
  WINDOW in_time AS (PARTITION BY platform, metric, series ORDER BY moment, value)
),
day_ends AS (
  SELECT
    series, platform, server, metric, kind, dimension, dimension_value, day,
    last_value(value ORDER BY moment, value) AS value,
    min(status) AS status,
    count(*) AS readings,
    min(arrow_cast(at, 'Int64')) / 3600000000.0 - 24.0 * arrow_cast(day, 'Int32') AS first_hour,
    max(arrow_cast(at, 'Int64')) / 3600000000.0 - 24.0 * arrow_cast(day, 'Int32') AS last_hour,
    max(CASE WHEN step_hours <= 6 THEN step END) AS largest_short_step,
    max(CASE WHEN step_hours > 6 THEN step END) AS largest_long_step
  FROM readings
  GROUP BY series, platform, server, metric, kind, dimension, dimension_value, day
),
beside AS (
  SELECT
    *,
    lag(day) OVER days AS previous_day,
    lag(value) OVER days AS previous_value,
    lag(readings) OVER days AS previous_readings,
    lead(day) OVER days IS NULL AS is_last,
    -- The day begins where readings begin: moments are in UTC, days in the zone of their source.
    min(first_hour) OVER whole AS earliest_hour,
    max(last_hour) OVER whole AS latest_hour
  FROM day_ends
  WINDOW
    days AS (PARTITION BY platform, metric, series ORDER BY day),
    whole AS (PARTITION BY platform, metric, series)
),
differences AS (
  SELECT
    *,
    CASE WHEN day - previous_day = 1 THEN value - previous_value END AS change,
    greatest(readings, coalesce(previous_readings, 1)) >= 2 AS sub_daily,
    CASE
      WHEN earliest_hour < 0 THEN floor(earliest_hour)
      WHEN latest_hour > 24 THEN ceil(latest_hour - 24)
      ELSE 0.0
    END AS midnight
  FROM beside
),
-- A step of 3 % of all there is between two readings at most 6 hours apart is no surge of people.
bursts AS (
  SELECT
    *,
    coalesce(largest_short_step >= 100 AND largest_short_step >= 0.03 * previous_value, false) AS burst,
    coalesce(change > 0 AND largest_long_step >= 0.8 * change, false) AS unresolved
  FROM differences
),
-- Neighbours: the 7 days before and the 7 after, without falls and other bursts, which say nothing
-- about how fast the platform grows.
neighbours AS (
  SELECT
    *,
    CASE WHEN change >= 0 AND NOT burst THEN change END AS ordinary
  FROM bursts
),
around AS (
  SELECT
    *,
    count(ordinary) OVER before + count(ordinary) OVER after AS neighbours,
    count(change) OVER after AS following,
    greatest(coalesce(max(ordinary) OVER before, 0), coalesce(max(ordinary) OVER after, 0)) AS largest_around
  FROM neighbours
  WINDOW
    before AS (
      PARTITION BY platform, metric, series ORDER BY arrow_cast(day, 'Int32') RANGE BETWEEN 7 PRECEDING AND 1 PRECEDING
    ),
    after AS (
      PARTITION BY platform, metric, series ORDER BY arrow_cast(day, 'Int32') RANGE BETWEEN 1 FOLLOWING AND 7 FOLLOWING
    )
)
SELECT
  platform, server, metric, kind, dimension, dimension_value, day, value, status, readings,
  previous_day, previous_value, change, largest_around,
  greatest(largest_short_step, largest_long_step) AS largest_step,
  burst,
  CASE
    WHEN metric = 'registered_users' OR kind = 'counter' THEN
      CASE
        WHEN change < 0 THEN 'fell'
        WHEN change >= 100 AND change >= 5 * largest_around AND neighbours >= 3 AND (
          change >= 0.03 * previous_value AND (
            -- Seen within the day: most of it in one step, or one step that is too large by itself.
            burst AND (largest_short_step >= 0.8 * change OR largest_short_step >= 5 * largest_around)
            -- Not seen within the day: only what follows tells a jump from a surge that has begun.
            OR unresolved AND following >= 3
          )
          -- How much was sent since the beginning says little of a day: no few hours hold 5 days.
          OR kind = 'counter' AND largest_short_step >= 10000 AND largest_short_step >= 5 * largest_around
        ) THEN 'jump'
        WHEN day - previous_day > 1 THEN 'gap'
        ELSE ''
      END
    ELSE ''
  END AS difference_flag,
  is_last AND sub_daily AND last_hour - midnight < 22 AS unfinished
FROM around
