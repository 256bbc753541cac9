--- How many of those who signed up left again, between two statements of monthly users.
--- Signups over the span: the trapezoid of the stated signups a day, from the first statement's day to the
--- second's, through every signup statement between; at an end where none lies the nearest one at most a
--- year away stands (`from_signups`, `to_signups` and the days of those statements). Implied churn = 1 -
--- net adds / signups. Spikes of one day do not compute. Signups that never became monthly users count as
--- left. The newest span first.
--! params:  month DATE, platform TEXT
--! columns: from_as_of DATE, from_value BIGINT, to_as_of DATE, to_value BIGINT, unit TEXT, days BIGINT, net_adds BIGINT, points BIGINT, from_signups BIGINT, from_signups_as_of DATE, to_signups BIGINT, to_signups_as_of DATE, signups BIGINT, churn DOUBLE, method TEXT
--! grain:   from_as_of, to_as_of, unit
--! finding: {% if rows and rows[0].churn is not none %}{% set last = rows[0] %}{% if last.churn >= 0 %}Of {{ last.signups|short }} signups, {{ last.net_adds|short }} stayed: an implied churn of {{ last.churn|pct }}{% else %}More users were added than signed up: the statements do not fit together{% endif %}{% else %}Signups and monthly users are not both known over one span{% endif %}
--! subtitle: 1 - net adds / signups, between two statements of monthly users
--! report:  section=left_out order=20
--! privacy: from_value, to_value, net_adds, from_signups, to_signups, signups
WITH stated AS (
  SELECT measure, metric, unit, as_of, value
  FROM statements
  WHERE computes AND platform = $platform AND measure IN ('mau', 'signups')
    AND unit IN ('users', 'user accounts', 'accounts', 'users/day')
    AND as_of < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE)
),
spans AS (
  SELECT
    metric, unit, as_of AS to_as_of, value AS to_value,
    lag(as_of) OVER series AS from_as_of,
    lag(value) OVER series AS from_value
  FROM stated
  WHERE measure = 'mau'
  WINDOW series AS (PARTITION BY metric, unit ORDER BY as_of)
),
-- Every span beside every signup statement.
beside AS (
  SELECT
    s.*, d.as_of AS day, d.value AS signups_a_day,
    d.as_of > s.from_as_of AND d.as_of < s.to_as_of AS inside,
    first_value(d.value) OVER near_start AS from_signups,
    first_value(d.as_of) OVER near_start AS from_signups_as_of,
    first_value(d.value) OVER near_end AS to_signups,
    first_value(d.as_of) OVER near_end AS to_signups_as_of,
    lag(d.as_of) OVER in_time AS day_before,
    lag(d.value) OVER in_time AS signups_before,
    lead(d.as_of) OVER in_time AS day_after
  FROM spans s
  JOIN stated d ON d.measure = 'signups'
  WHERE s.from_as_of IS NOT NULL
  WINDOW
    near_start AS (PARTITION BY s.metric, s.unit, s.to_as_of ORDER BY abs(d.as_of - s.from_as_of), d.as_of, d.value DESC),
    near_end AS (PARTITION BY s.metric, s.unit, s.to_as_of ORDER BY abs(d.as_of - s.to_as_of), d.as_of DESC, d.value DESC),
    in_time AS (PARTITION BY s.metric, s.unit, s.to_as_of ORDER BY d.as_of, d.value)
),
-- Twice the area up to each statement inside the span, and from the last of them to the span's end, in
-- whole numbers: DECIMAL can't overflow.
slices AS (
  SELECT
    *,
    CASE WHEN inside THEN
      CAST(signups_a_day + CASE WHEN day_before > from_as_of THEN signups_before ELSE from_signups END AS DECIMAL(38, 0))
        * (day - CASE WHEN day_before > from_as_of THEN day_before ELSE from_as_of END)
      + CASE
          WHEN day_after IS NULL OR day_after >= to_as_of
            THEN CAST(signups_a_day + to_signups AS DECIMAL(38, 0)) * (to_as_of - day)
          ELSE 0
        END
    END AS twice_the_area
  FROM beside
),
areas AS (
  SELECT
    from_as_of, from_value, to_as_of, to_value, metric, unit, from_signups, from_signups_as_of, to_signups,
    to_signups_as_of,
    2 + count(*) FILTER (WHERE inside) AS points,
    CAST(coalesce(
      sum(twice_the_area),
      CAST(from_signups + to_signups AS DECIMAL(38, 0)) * (to_as_of - from_as_of)
    ) AS DOUBLE) / 2 AS signups
  FROM slices
  GROUP BY from_as_of, from_value, to_as_of, to_value, metric, unit, from_signups, from_signups_as_of,
    to_signups, to_signups_as_of
)
SELECT
  from_as_of, from_value, to_as_of, to_value, unit, to_as_of - from_as_of AS days,
  to_value - from_value AS net_adds, points, from_signups, from_signups_as_of, to_signups, to_signups_as_of,
  CASE WHEN signups < 9223372036854775807.0 THEN CAST(round(signups) AS BIGINT) END AS signups,
  round(1 - CAST(to_value - from_value AS DOUBLE) / nullif(signups, 0), 6) AS churn,
  concat(
    'trapezoid of ', CAST(points AS VARCHAR), ' points',
    CASE WHEN from_signups_as_of <> from_as_of THEN concat('; at the start the statement of ', to_char(from_signups_as_of, '%-d %B %Y')) ELSE '' END,
    CASE WHEN to_signups_as_of <> to_as_of THEN concat('; at the end the statement of ', to_char(to_signups_as_of, '%-d %B %Y')) ELSE '' END
  ) AS method
FROM areas
WHERE abs(from_signups_as_of - from_as_of) <= 366 AND abs(to_signups_as_of - to_as_of) <= 366
ORDER BY to_as_of DESC, from_as_of DESC, unit
