--- What to know before trusting the month's figures: days left out, disputes, old figures, rejected rows.
--- Up to the month's end: every flagged day of the platform; days without any reading between its first and
--- its last; statements that do not compute and why; those that name no source; of every platform a statement
--- that is less than half or more than three times the one before it of at most 366 days (leap), and the last
--- figure where it is older than a year; and up to 20 rows that were not taken, with their file and line.
--! params:  month DATE, platform TEXT
--! columns: number BIGINT, topic TEXT, platform TEXT, metric TEXT, day DATE, value BIGINT, detail TEXT
--! grain:   number
--! finding: {% set days = rows|selectattr("topic", "in", ["jump", "fell", "gap", "unfinished"])|list|length %}{% set shown = rows|selectattr("topic", "equalto", "dispute")|list|length %}{{ params.platform }}: {{ days }} day{{ "" if days == 1 else "s" }} flagged, {{ shown }} statement{{ "" if shown == 1 else "s" }} shown but not computed with
--! subtitle: up to the end of the month
--! report:  section=quality order=10
WITH period AS (
  SELECT CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE) AS last_day
),
flagged AS (
  SELECT
    f.flag AS topic, f.platform, f.metric, f.day, f.change AS value,
    CASE
      WHEN f.server <> '' AND f.dimension_value <> '' THEN concat(f.server, ', ', f.dimension_value, ': ', f.explanation)
      WHEN f.server <> '' OR f.dimension_value <> '' THEN concat(f.server, f.dimension_value, ': ', f.explanation)
      ELSE f.explanation
    END AS detail,
    1 AS place
  FROM flags f
  CROSS JOIN period p
  WHERE f.platform = $platform AND f.day <= p.last_day
),
-- Daily files leave no reading to differ from: count the days that are not there.
missing AS (
  SELECT
    'missing days' AS topic, platform, metric, CAST(NULL AS DATE) AS day,
    max(day) - min(day) + 1 - count(DISTINCT day) AS value,
    concat(
      ltrim(reverse(regexp_replace(reverse(CAST(max(day) - min(day) + 1 - count(DISTINCT day) AS VARCHAR)), '([0-9]{3})', concat('${1}', chr(8239)), 'g')), chr(8239)), ' of ',
      ltrim(reverse(regexp_replace(reverse(CAST(max(day) - min(day) + 1 AS VARCHAR)), '([0-9]{3})', concat('${1}', chr(8239)), 'g')), chr(8239)),
      ' days between ', to_char(min(day), '%-d %B %Y'), ' and ', to_char(max(day), '%-d %B %Y'), ' have no figure'
    ) AS detail,
    2 AS place
  FROM (
    SELECT d.platform, d.metric, d.day
    FROM platform_days d
    CROSS JOIN period p
    -- Net adds are differences of registered users: the same days.
    WHERE d.platform = $platform AND d.day <= p.last_day AND d.metric <> 'net_adds'
  ) AS days
  GROUP BY platform, metric
  HAVING max(day) - min(day) + 1 > count(DISTINCT day)
),
stated AS (
  SELECT
    s.platform, s.metric, s.unit, s.as_of, s.value, s.computes, s.resolution, s.sources, s.source_url = '' AND s.source_title = '' AS unsourced, p.last_day,
    lag(s.value) OVER in_time AS value_before,
    lag(s.as_of) OVER in_time AS as_of_before,
    row_number() OVER (PARTITION BY s.platform, s.metric, s.unit, s.computes ORDER BY s.as_of DESC, s.value DESC) AS newest
  FROM statements s
  CROSS JOIN period p
  WHERE s.as_of <= p.last_day
  WINDOW in_time AS (PARTITION BY s.platform, s.metric, s.unit, s.computes ORDER BY s.as_of, s.value)
),
disputes_and_old AS (
  SELECT
    CASE WHEN computes THEN 'old figure' ELSE 'dispute' END AS topic, platform, metric, as_of AS day, value,
    CASE
      WHEN computes THEN concat('the last figure in ', unit, ' is ', ltrim(reverse(regexp_replace(reverse(CAST(last_day - as_of AS VARCHAR)), '([0-9]{3})', concat('${1}', chr(8239)), 'g')), chr(8239)), ' days old')
      WHEN sources > 1 THEN concat(resolution, ' (', CAST(sources AS VARCHAR), ' sources)')
      ELSE resolution
    END AS detail,
    CASE WHEN computes THEN 6 ELSE 3 END AS place
  FROM stated
  WHERE NOT computes AND platform = $platform OR computes AND newest = 1 AND last_day - as_of > 365
),
unsourced AS (
  SELECT 'no source' AS topic, platform, metric, as_of AS day, value, concat(
    ltrim(reverse(regexp_replace(reverse(CAST(abs(value) AS VARCHAR)), '([0-9]{3})', concat('${1}', chr(8239)), 'g')), chr(8239)), ' ', unit, ': no source is given',
    CASE WHEN computes THEN '; it computes all the same' ELSE '; shown only' END
  ) AS detail, 4 AS place
  FROM stated
  WHERE unsourced AND platform = $platform
),
leaps AS (
  SELECT 'leap' AS topic, platform, metric, as_of AS day, value, concat(
    ltrim(reverse(regexp_replace(reverse(CAST(value AS VARCHAR)), '([0-9]{3})', concat('${1}', chr(8239)), 'g')), chr(8239)), ' ', unit, ' after ',
    ltrim(reverse(regexp_replace(reverse(CAST(value_before AS VARCHAR)), '([0-9]{3})', concat('${1}', chr(8239)), 'g')), chr(8239)), ' of ', to_char(as_of_before, '%-d %B %Y'),
    CASE WHEN value > value_before THEN ': more than three times' ELSE ': less than half' END
  ) AS detail, 5 AS place
  FROM stated
  WHERE computes AND as_of - as_of_before <= 366
    AND (CAST(value AS DOUBLE) < 0.5 * value_before OR CAST(value AS DOUBLE) > 3.0 * value_before)
),
rejected AS (
  SELECT *, row_number() OVER (ORDER BY file, line, "column", reason, load) AS place_in_line, count(*) OVER () AS in_all
  FROM rejects
),
not_taken AS (
  SELECT
    'rejected row' AS topic, '' AS platform, '' AS metric, CAST(NULL AS DATE) AS day, CAST(NULL AS BIGINT) AS value,
    concat(
      file, CASE WHEN line > 0 THEN concat(', line ', CAST(line AS VARCHAR)) ELSE '' END,
      CASE WHEN "column" <> '' THEN concat(', ', "column") ELSE '' END, ': ', reason
    ) AS detail,
    -- In the order of their lines.
    6 + place_in_line AS place
  FROM rejected
  WHERE place_in_line <= 20
  UNION ALL
  SELECT
    'rejected rows', '', '', CAST(NULL AS DATE), in_all,
    concat(ltrim(reverse(regexp_replace(reverse(CAST(in_all AS VARCHAR)), '([0-9]{3})', concat('${1}', chr(8239)), 'g')), chr(8239)), ' rows were rejected; the first 20 stand here'), 100
  FROM rejected
  WHERE place_in_line = 21
),
together AS (
  SELECT * FROM flagged
  UNION ALL
  SELECT * FROM missing
  UNION ALL
  SELECT * FROM disputes_and_old
  UNION ALL
  SELECT * FROM unsourced
  UNION ALL
  SELECT * FROM leaps
  UNION ALL
  SELECT * FROM not_taken
)
SELECT
  CAST(row_number() OVER (ORDER BY place, day DESC, platform, metric, topic, value, detail) AS BIGINT) AS number,
  topic, platform, metric, day, value, detail
FROM together
ORDER BY number
