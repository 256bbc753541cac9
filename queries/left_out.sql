--- What follows from the platform's own figures: users against messages, signups, people and cost.
--- Each from the last figures that compute at or before the month's last day, at most 366 days apart; the formula
--- names them.
--- Growth is that of the last two statements of monthly users, with a month of 146097/4800 days.
--! params:  month DATE, platform TEXT
--! columns: name TEXT, value DOUBLE, unit TEXT, day DATE, formula TEXT
--! grain:   name, unit
--! finding: {% if rows %}What follows from {{ params.platform }}'s figures: {{ rows[0].name }}, {{ rows[0].value|short }}{% if rows[0].unit is startingwith("%") %} %{% endif %}{% else %}{{ params.platform }} stated too little to compute anything from{% endif %}
--! subtitle: arithmetic on the platform's own statements
--! report:  section=left_out order=10
WITH period AS (
  SELECT CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE) AS last_day
),
known_then AS (
  SELECT
    k.measure, k.metric, k.unit, k.value, k.as_of,
    lead(k.value) OVER newest AS previous_value,
    lead(k.as_of) OVER newest AS previous_as_of,
    row_number() OVER (PARTITION BY k.measure ORDER BY k.as_of DESC, k.metric, k.unit) = 1 AS is_newest,
    -- The figure in the words of a formula: 100 000 000 (23 February 2016).
    concat(ltrim(reverse(regexp_replace(reverse(CAST(k.value AS VARCHAR)), '([0-9]{3})', concat('${1}', chr(8239)), 'g')), chr(8239)), ' (', to_char(k.as_of, '%-d %B %Y'), ')') AS words
  FROM known k
  CROSS JOIN period p
  WHERE k.platform = $platform AND k.as_of <= p.last_day AND k.value > 0
    AND (k.comparable OR k.measure IN ('headcount', 'monthly_cost'))
  WINDOW newest AS (PARTITION BY k.measure, k.metric, k.unit ORDER BY k.as_of DESC)
),
-- The newest monthly users and those before them stand beside every other figure.
beside_mau AS (
  SELECT
    *,
    CAST(max(CASE WHEN measure = 'mau' AND is_newest THEN value END) OVER () AS DOUBLE) AS mau,
    max(CASE WHEN measure = 'mau' AND is_newest THEN as_of END) OVER () AS mau_as_of,
    max(CASE WHEN measure = 'mau' AND is_newest THEN words END) OVER () AS mau_words,
    CAST(max(CASE WHEN measure = 'mau' AND is_newest THEN previous_value END) OVER () AS DOUBLE) AS mau_before,
    max(CASE WHEN measure = 'mau' AND is_newest THEN previous_as_of END) OVER () AS mau_before_as_of
  FROM known_then
),
-- Signups between the two, as in implied_churn.sql: the trapezoid through the statements inside the span,
-- the nearest at most a year away at its ends.
near AS (
  SELECT
    *,
    measure = 'signups' AND as_of > mau_before_as_of AND as_of < mau_as_of AS inside,
    first_value(value) OVER near_start AS from_signups,
    abs(first_value(as_of) OVER near_start - mau_before_as_of) AS from_distance,
    first_value(value) OVER near_end AS to_signups,
    abs(first_value(as_of) OVER near_end - mau_as_of) AS to_distance,
    lag(as_of) OVER in_time AS day_before,
    lag(value) OVER in_time AS value_before,
    lead(as_of) OVER in_time AS day_after
  FROM beside_mau
  WINDOW
    near_start AS (PARTITION BY measure ORDER BY abs(as_of - mau_before_as_of), as_of, value DESC),
    near_end AS (PARTITION BY measure ORDER BY abs(as_of - mau_as_of), as_of DESC, value DESC),
    in_time AS (PARTITION BY measure ORDER BY as_of, value)
),
slices AS (
  SELECT
    *,
    CASE WHEN inside THEN
      CAST(value + CASE WHEN day_before > mau_before_as_of THEN value_before ELSE from_signups END AS DECIMAL(38, 0))
        * (as_of - CASE WHEN day_before > mau_before_as_of THEN day_before ELSE mau_before_as_of END)
      + CASE
          WHEN day_after IS NULL OR day_after >= mau_as_of
            THEN CAST(value + to_signups AS DECIMAL(38, 0)) * (mau_as_of - as_of)
          ELSE 0
        END
    END AS twice_the_area
  FROM near
),
summed AS (
  SELECT
    *,
    CASE WHEN from_distance <= 366 AND to_distance <= 366 THEN
      CAST(coalesce(
        sum(twice_the_area) OVER (PARTITION BY measure),
        CAST(from_signups + to_signups AS DECIMAL(38, 0)) * (mau_as_of - mau_before_as_of)
      ) AS DOUBLE) / 2
    END AS signups,
    -- The next of 1, 2 and 5 times a power of ten above the monthly users.
    CASE
      WHEN mau < 2 * power(10.0, length(CAST(CAST(mau AS BIGINT) AS VARCHAR)) - 1) THEN 2
      WHEN mau < 5 * power(10.0, length(CAST(CAST(mau AS BIGINT) AS VARCHAR)) - 1) THEN 5
      ELSE 10
    END * power(10.0, length(CAST(CAST(mau AS BIGINT) AS VARCHAR)) - 1) AS milestone
  FROM slices
),
with_milestone AS (
  SELECT
    *,
    CASE WHEN mau > mau_before THEN (mau_as_of - mau_before_as_of) * ln(milestone / mau) / ln(mau / mau_before) END AS days_to_go,
    ltrim(reverse(regexp_replace(reverse(CAST(CAST(milestone AS BIGINT) AS VARCHAR)), '([0-9]{3})', concat('${1}', chr(8239)), 'g')), chr(8239)) AS milestone_words
  FROM summed
  WHERE is_newest AND mau IS NOT NULL
),
facts AS (
  SELECT
    f.*, r.role,
    CASE
      WHEN r.role = 'churn' THEN 'implied churn'
      WHEN f.measure = 'messages' THEN 'messages a day for each monthly user'
      WHEN f.measure = 'signups' THEN 'signups a day as a share of monthly users'
      WHEN f.measure = 'monthly_cost' THEN 'running cost for each monthly user a year'
      WHEN f.measure = 'headcount' THEN 'monthly users for each person employed'
      WHEN f.measure = 'mau' THEN 'months to the next round number of monthly users'
    END AS name
  FROM with_milestone f
  JOIN (SELECT column1 AS role FROM (VALUES ('figure'), ('churn')) AS v) AS r
    ON r.role = 'figure' AND f.measure IN ('messages', 'signups', 'monthly_cost', 'headcount', 'mau')
    OR r.role = 'churn' AND f.measure = 'signups'
),
worked_out AS (
  SELECT
    name,
    CASE
      WHEN role = 'churn' THEN round(100 * (1 - (mau - mau_before) / nullif(signups, 0)), 4)
      WHEN measure = 'messages' THEN round(value / mau, 2)
      WHEN measure = 'signups' THEN round(100.0 * value / mau, 4)
      WHEN measure = 'monthly_cost' THEN round(12.0 * value / mau, 4)
      WHEN measure = 'headcount' THEN round(mau / value, 1)
      ELSE round(days_to_go / (146097.0 / 4800.0), 1)
    END AS value,
    CASE
      WHEN role = 'churn' THEN '% of signups'
      WHEN measure = 'messages' THEN 'messages a day'
      WHEN measure = 'signups' THEN '% of monthly users'
      WHEN measure = 'monthly_cost' THEN replace(unit, '/month', '')
      WHEN measure = 'headcount' THEN concat('users / ', unit)
      ELSE concat('months to ', milestone_words)
    END AS unit,
    -- A date further away than a lifetime is none.
    CASE WHEN measure = 'mau' AND days_to_go < 36525 THEN
      arrow_cast(arrow_cast(mau_as_of, 'Int32') + CAST(round(days_to_go) AS INT), 'Date32')
    END AS day,
    CASE
      WHEN role = 'churn' THEN concat(
        '1 − ', CASE WHEN mau < mau_before THEN '−' ELSE '' END, ltrim(reverse(regexp_replace(reverse(CAST(CAST(abs(mau - mau_before) AS BIGINT) AS VARCHAR)), '([0-9]{3})', concat('${1}', chr(8239)), 'g')), chr(8239)), ' net adds / ',
        ltrim(reverse(regexp_replace(reverse(CAST(CAST(round(signups) AS DECIMAL(38, 0)) AS VARCHAR)), '([0-9]{3})', concat('${1}', chr(8239)), 'g')), chr(8239)), ' signups, ', to_char(mau_before_as_of, '%-d %B %Y'),
        ' to ', to_char(mau_as_of, '%-d %B %Y')
      )
      WHEN measure = 'messages' THEN concat(words, ' messages a day / ', mau_words, ' monthly users')
      WHEN measure = 'signups' THEN concat(words, ' signups a day / ', mau_words, ' monthly users')
      WHEN measure = 'monthly_cost' THEN concat('12 x ', words, ' ', unit, ' / ', mau_words, ' monthly users')
      WHEN measure = 'headcount' THEN concat(mau_words, ' monthly users / ', words, ' ', unit)
      ELSE concat(
        'ln(', milestone_words, ' / ', mau_words, ') / ln(1 + ',
        CAST(round(100 * (power(mau / mau_before, 146097.0 / 4800.0 / (mau_as_of - mau_before_as_of)) - 1), 2) AS VARCHAR),
        ' % a month)'
      )
    END AS formula,
    -- Churn looks at the ends of its span by itself.
    CASE WHEN measure = 'mau' OR role = 'churn' THEN 0 ELSE abs(as_of - mau_as_of) END AS days_apart,
    CASE
      WHEN role = 'churn' THEN 3
      ELSE CASE measure WHEN 'messages' THEN 1 WHEN 'signups' THEN 2 WHEN 'monthly_cost' THEN 4 WHEN 'headcount' THEN 5 ELSE 6 END
    END AS place
  FROM facts
)
SELECT name, value, unit, day, formula
FROM worked_out
WHERE value IS NOT NULL AND days_apart <= 366
ORDER BY place, name, unit
