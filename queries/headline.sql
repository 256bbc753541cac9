--- The figures of one platform at the month's end, each beside the one before it.
--- Public statements stand beside the computing statement before; CMGR = (b/a)^(m/days) - 1 with
--- m = 146097/4800 days a month. Counts of every day are taken for the month up to its last whole day and
--- stand beside the same number of days of the month before and of the same month a year before; where
--- days are left out, growth compares the means of the known days. Levels stand beside the level on the
--- same day of those months; across a jump (a change in what was counted) they show no growth.
--! params:  month DATE, platform TEXT
--! columns: measure TEXT, metric TEXT, title TEXT, value BIGINT, unit TEXT, as_of DATE, age_days BIGINT, status TEXT, qualifier TEXT, basis TEXT, days BIGINT, finished BOOLEAN, previous_value BIGINT, previous_as_of DATE, change BIGINT, growth DOUBLE, cmgr DOUBLE, year_before_value BIGINT, year_growth DOUBLE
--! grain:   metric, unit
--! finding: {% if rows %}{{ params.platform }}: {% if rows[0].qualifier == "at_least" %}more than {% elif rows[0].qualifier == "about" %}about {% elif rows[0].qualifier == "at_most" %}at most {% endif %}{{ rows[0].value|short }} {{ rows[0].title }}{% if rows[0].basis == "month to date" %} in {{ rows[0].days }} days of {{ params.month|month }}{% endif %}{% if rows[0].growth is not none %}, {% if rows[0].growth >= 0 %}up {{ rows[0].growth|pct }}{% else %}down {{ (0 - rows[0].growth)|pct }}{% endif %} {% if rows[0].basis == "statement" %}since {{ rows[0].previous_as_of|day }}{% else %}against the same days of the month before{% endif %}{% endif %}{% else %}Nothing is known of {{ params.platform }} at the end of {{ params.month|month }}{% endif %}
--! subtitle: the last figure at or before the month's last day, beside the one before it
--! report:  section=headline order=10
--! privacy: value, previous_value, change, year_before_value
WITH period AS (
  SELECT
    CAST($month AS DATE) AS first_day,
    CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE) AS last_day
),
own_days AS (
  SELECT
    d.metric, d.measure, d.day, d.value, d.flag, d.status,
    d.kind = 'flow' AS adds_up, d.kind = 'flow' OR d.measure = 'dau' AS has_mean,
    CAST(date_part('day', d.day) AS BIGINT) AS day_of_month,
    CASE CAST(date_trunc('month', d.day) AS DATE)
      WHEN p.first_day THEN 'now'
      WHEN CAST(p.first_day - INTERVAL '1 month' AS DATE) THEN 'before'
      WHEN CAST(p.first_day - INTERVAL '12 months' AS DATE) THEN 'year'
    END AS month
  FROM platform_days d
  CROSS JOIN period p
  WHERE d.platform = $platform AND d.day <= p.last_day
    AND d.day >= p.first_day - INTERVAL '12 months'
),
-- How far the month has come: flows and daily means to its last whole day, levels to the last reading.
with_reach AS (
  SELECT
    *,
    max(CASE WHEN month = 'now' AND value IS NOT NULL AND (flag <> 'unfinished' OR NOT has_mean) THEN day_of_month END)
      OVER (PARTITION BY metric) AS reach,
    max(CASE WHEN flag = 'jump' AND NOT has_mean THEN day END) OVER (PARTITION BY metric) AS last_jump
  FROM own_days
),
months AS (
  SELECT
    metric, measure, adds_up, has_mean, month,
    count(value) AS known,
    sum(CAST(value AS DECIMAL(38, 0))) AS total,
    last_value(value ORDER BY day) FILTER (WHERE value IS NOT NULL) AS level,
    max(CASE WHEN value IS NOT NULL THEN day END) AS as_of,
    min(status) AS status,
    max(last_jump) AS last_jump
  FROM with_reach
  WHERE month IS NOT NULL AND day_of_month <= reach
  GROUP BY metric, measure, adds_up, has_mean, month
),
figures AS (
  SELECT
    *,
    CASE
      WHEN adds_up THEN CASE WHEN total <= 9223372036854775807 THEN CAST(total AS BIGINT) END
      WHEN has_mean THEN CAST(round(CAST(total AS DOUBLE) / nullif(known, 0)) AS BIGINT)
      ELSE level
    END AS value,
    -- What growth compares: the mean of the known days, or the level.
    CASE WHEN has_mean THEN CAST(total AS DOUBLE) / nullif(known, 0) ELSE CAST(level AS DOUBLE) END AS compared
  FROM months
),
-- The month, the month before and the same month of the year before, side by side.
side_by_side AS (
  SELECT
    metric, measure, adds_up, has_mean,
    max(CASE month WHEN 'now' THEN value END) AS value,
    max(CASE month WHEN 'now' THEN known END) AS known,
    max(CASE month WHEN 'now' THEN as_of END) AS as_of,
    max(CASE month WHEN 'now' THEN status END) AS status,
    max(CASE month WHEN 'now' THEN compared END) AS compared,
    max(CASE month WHEN 'before' THEN value END) AS previous_value,
    max(CASE month WHEN 'before' THEN as_of END) AS previous_as_of,
    max(CASE month WHEN 'before' THEN compared END) AS previous_compared,
    max(last_jump) AS last_jump,
    max(CASE month WHEN 'year' THEN value END) AS year_before_value,
    max(CASE month WHEN 'year' THEN as_of END) AS year_as_of,
    max(CASE month WHEN 'year' THEN compared END) AS year_compared
  FROM figures
  GROUP BY metric, measure, adds_up, has_mean
),
from_days AS (
  SELECT
    f.measure, f.metric, m.title, f.value, m.unit, f.as_of, p.last_day - f.as_of AS age_days,
    f.status, 'exact' AS qualifier,
    CASE WHEN f.adds_up THEN 'month to date' WHEN f.has_mean THEN 'mean of the days' ELSE 'level' END AS basis,
    CASE WHEN f.has_mean THEN f.known END AS days,
    f.as_of = p.last_day AND (NOT f.has_mean OR f.known = date_part('day', p.last_day)) AS finished,
    f.previous_value, f.previous_as_of,
    -- A level that jumped in between did not grow by the difference.
    CASE WHEN f.last_jump > f.previous_as_of THEN NULL ELSE f.value - f.previous_value END AS change,
    CASE WHEN f.last_jump > f.previous_as_of THEN NULL ELSE round(f.compared / nullif(f.previous_compared, 0) - 1, 6) END AS growth,
    CAST(NULL AS DOUBLE) AS cmgr,
    f.year_before_value,
    CASE WHEN f.last_jump > f.year_as_of THEN NULL ELSE round(f.compared / nullif(f.year_compared, 0) - 1, 6) END AS year_growth
  FROM side_by_side f
  CROSS JOIN period p
  JOIN metrics m ON m.metric = f.metric
),
stated AS (
  SELECT
    s.measure, s.metric, s.value, s.unit, s.as_of, s.status, s.qualifier,
    lag(s.value) OVER series AS previous_value,
    lag(s.as_of) OVER series AS previous_as_of,
    lead(s.as_of) OVER series IS NULL AS is_last
  FROM statements s
  CROSS JOIN period p
  WHERE s.computes AND s.platform = $platform AND s.as_of <= p.last_day
  WINDOW series AS (PARTITION BY s.metric, s.unit ORDER BY s.as_of)
),
from_statements AS (
  SELECT
    s.measure, s.metric, m.title, s.value, s.unit, s.as_of, p.last_day - s.as_of AS age_days, s.status, s.qualifier,
    'statement' AS basis, CAST(NULL AS BIGINT) AS days, true AS finished, s.previous_value, s.previous_as_of,
    s.value - s.previous_value AS change,
    round(CAST(s.value AS DOUBLE) / nullif(s.previous_value, 0) - 1, 6) AS growth,
    round(nullif(power(
      CAST(s.value AS DOUBLE) / nullif(s.previous_value, 0), 146097.0 / 4800.0 / (s.as_of - s.previous_as_of)
    ), CAST('Infinity' AS DOUBLE)) - 1, 6) AS cmgr,
    CAST(NULL AS BIGINT) AS year_before_value, CAST(NULL AS DOUBLE) AS year_growth
  FROM stated s
  CROSS JOIN period p
  JOIN metrics m ON m.metric = s.metric
  WHERE s.is_last
)
SELECT measure, metric, title, value, unit, as_of, age_days, status, qualifier, basis, days, finished,
  previous_value, previous_as_of, change, growth, cmgr, year_before_value, year_growth
FROM (SELECT * FROM from_days UNION ALL SELECT * FROM from_statements) AS figures_of_the_month
-- A platform's own counts of the month go before what was said of the measure.
QUALIFY basis <> 'statement' OR NOT bool_or(basis <> 'statement') OVER (PARTITION BY measure)
ORDER BY
  -- As a reader asks: how many use it, how much, how fast.
  CASE measure
    WHEN 'mau' THEN 1 WHEN 'wau' THEN 2 WHEN 'dau' THEN 3 WHEN 'messages' THEN 4 WHEN 'signups' THEN 5
    WHEN 'net_adds' THEN 6 WHEN 'registered_users' THEN 7 ELSE 8
  END,
  metric, as_of DESC, unit
