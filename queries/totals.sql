--- What a platform counts itself, month by month over its whole history.
--- Levels (registered users, servers) as they stood at the month's end, flows (messages) as the total of
--- the known days. `mark` says where a month is not over or has days left out.
--! params:  platform TEXT, metric TEXT = registered_users, month DATE = null
--! columns: metric TEXT, month DATE, as_of DATE, value BIGINT, unit TEXT, per_day DOUBLE, days_known BIGINT, left_out BIGINT, mark TEXT
--! grain:   metric, month
--! chart:   line x=as_of y=value series=metric mark=mark
--! finding: {% if rows %}{% set last = rows[-1] %}{{ params.platform }}: {{ last.value|short }} {{ last.metric|replace("_", " ") }} on {{ last.as_of|day }}{% else %}{{ params.platform }} has no counts of its own{% endif %}
--! subtitle: by month
--! report:  section=growth order=60
--! privacy: value, per_day
SELECT
  metric, month, as_of, value, unit, round(per_day, 2) AS per_day, days_known, left_out,
  CASE WHEN left_out > 0 THEN 'artefact' WHEN finished THEN 'computed' ELSE 'unfinished' END AS mark
FROM own_months
WHERE platform = $platform AND $metric IN (measure, metric)
  AND ($month IS NULL OR month <= CAST($month AS DATE))
ORDER BY metric, month
