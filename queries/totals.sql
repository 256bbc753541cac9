--- What a platform counts itself, month by month over its whole history.
--- Levels (registered users, servers) as they stood at the month's end, flows (messages) as the total of
--- the known days, with what a count since the beginning rose across a gap within the month. `mark` says where a month is not over or has days left out.
--! params:  platform TEXT, metric TEXT = registered_users, month DATE = null
--! columns: metric TEXT, month DATE, as_of DATE, value BIGINT, unit TEXT, per_day DOUBLE, days_known BIGINT, left_out BIGINT, mark TEXT
--! grain:   metric, month
--! chart:   line x=as_of y=value series=metric mark=mark
--! finding: {% if rows %}{% set last = rows[-1] %}{{ params.platform }}: {{ last.value|short }} {{ last.metric|title_of }}{% if last.per_day is not none %} in {{ last.month|month }}{% if last.mark == "unfinished" %} so far{% endif %}{% else %} on {{ last.as_of|day }}{% endif %}{% else %}{{ params.platform }} has no counts of its own{% endif %}
--! subtitle: {% if rows %}{{ rows[0].metric|title_of }}{% if rows[0].per_day is not none %}, month by month{% else %} at the end of each month{% endif %}{% else %}counts at the end of each month{% endif %}
--! report:  section=growth order=60
--! privacy: value, per_day
-- A fall of some accounts is no artefact of the month's last reading; a jump is.
WITH jumps AS (
  SELECT DISTINCT
    CAST(date_trunc('month', day) AS DATE) AS month,
    CASE metric WHEN 'net_adds' THEN 'registered_users' ELSE metric END AS metric
  FROM flags
  WHERE platform = $platform AND flag = 'jump'
)
SELECT
  o.metric, o.month, o.as_of, o.value, o.unit, round(o.per_day, 2) AS per_day, o.days_known, o.left_out,
  CASE WHEN j.month IS NOT NULL THEN 'artefact' WHEN o.finished THEN 'computed' ELSE 'unfinished' END AS mark
FROM own_months AS o
LEFT JOIN jumps AS j ON j.month = o.month AND j.metric = o.metric
WHERE o.platform = $platform AND $metric IN (o.measure, o.metric)
  AND ($month IS NULL OR o.month <= CAST($month AS DATE))
ORDER BY o.metric, o.month
