--- The figures of one platform at the month's end, each beside the one before it.
--- Public statements stand beside the computing statement before; CMGR = (b/a)^(m/days) - 1 with
--- m = 146097/4800 days a month. Counts of every day: where the month and the one before are finished, whole
--- months compare (basis `month`: totals of flows, the last figure of levels and monthly users, the mean of daily
--- users); else the same days of both, those known on both sides (basis `month to date`, or `same days` where the month
--- itself is finished), `days` of them. change = value - previous_value, growth = value / previous_value - 1,
--- as in growth_monthly; so is year_growth. Of a network change and growth are of the servers that reported on both
--- sides, which have no previous_value beside the sum of all; `servers` of `known_servers` reported it. Across a jump (a change in what was counted) levels show none.
--! params:  month DATE, platform TEXT
--! columns: measure TEXT, metric TEXT, title TEXT, value BIGINT, unit TEXT, as_of DATE, age_days BIGINT, status TEXT, qualifier TEXT, basis TEXT, days BIGINT, finished BOOLEAN, previous_value BIGINT, previous_as_of DATE, change BIGINT, growth DOUBLE, cmgr DOUBLE, year_before_value BIGINT, year_growth DOUBLE, servers BIGINT, known_servers BIGINT
--! grain:   metric, unit
--! finding: {% if rows %}{% set r = rows[0] %}{{ params.platform }}: {% if r.qualifier == "at_least" %}more than {% elif r.qualifier == "about" %}about {% elif r.qualifier == "at_most" %}at most {% endif %}{{ r.value|short }} {{ r.title }}{% if r.days is not none %}{% if r.measure == "dau" %} on average{% endif %} in {% if r.basis != "month" %}{{ r.days }} day{{ "" if r.days == 1 else "s" }} of {% endif %}{{ params.month|month }}{% endif %}{% if r.growth is not none and r.change is not none %}, {% if r.change == 0 %}unchanged{% elif r.change > 0 %}up {{ r.growth|pct }}{% else %}down {{ (0 - r.growth)|pct }}{% endif %} {% if r.basis == "statement" %}since {{ r.previous_as_of|day }}{% elif r.basis == "month" %}against the month before{% elif r.days is none %}against the same day of the month before{% else %}against the same days of the month before{% endif %}{% endif %}{% else %}Nothing is known of {{ params.platform }} at the end of {{ params.month|month }}{% endif %}
--! subtitle: the last figure at or before the month's last day, beside the one before it
--! report:  section=headline order=10
--! privacy: value, previous_value, change, year_before_value
WITH period AS (
  SELECT
    CAST($month AS DATE) AS first_day,
    CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE) AS last_day
),
from_days AS (
  SELECT
    o.measure, o.metric, m.title, o.compared_value AS value, o.unit, o.compared_as_of AS as_of,
    p.last_day - o.compared_as_of AS age_days, o.status, 'exact' AS qualifier, o.basis, o.days, o.finished,
    o.previous_value, o.previous_as_of, o.change, o.mom AS growth, CAST(NULL AS DOUBLE) AS cmgr,
    o.year_before_value, o.yoy AS year_growth,
    CASE WHEN d.known_servers IS NOT NULL THEN d.servers END AS servers, d.known_servers
  FROM own_growth o
  JOIN period p ON p.first_day = o.month
  JOIN metrics m ON m.metric = o.metric
  LEFT JOIN platform_days d
    ON d.platform = o.platform AND d.metric = o.metric AND d.kind = o.kind AND d.day = o.compared_as_of
  WHERE o.platform = $platform AND o.compared_value IS NOT NULL
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
    CAST(NULL AS BIGINT) AS year_before_value, CAST(NULL AS DOUBLE) AS year_growth,
    CAST(NULL AS BIGINT) AS servers, CAST(NULL AS BIGINT) AS known_servers
  FROM stated s
  CROSS JOIN period p
  JOIN metrics m ON m.metric = s.metric
  WHERE s.is_last
)
SELECT measure, metric, title, value, unit, as_of, age_days, status, qualifier, basis, days, finished,
  previous_value, previous_as_of, change, growth, cmgr, year_before_value, year_growth, servers, known_servers
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
