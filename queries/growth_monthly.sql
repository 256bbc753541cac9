--- Growth from month to month and from year to year of what a platform counts itself.
--- Two finished months compare whole: the totals of flows, the means of daily users, the last figures of
--- levels and monthly users. A month that is not finished (not over, or with days left out) compares the
--- same days of both months only: those known in both, `mom_days` and `yoy_days` of them; levels on the
--- last of those days; across a jump a level shows no growth. `basis` says which; means of daily users compare in whole
--- users, as they are shown. As in headline. Where a month is given: that month and the twelve before it.
--! params:  platform TEXT, metric TEXT = all, month DATE = null
--! columns: metric TEXT, month DATE, value BIGINT, unit TEXT, per_day DOUBLE, days_known BIGINT, days_in_month BIGINT, left_out BIGINT, finished BOOLEAN, basis TEXT, mom DOUBLE, mom_days BIGINT, yoy DOUBLE, yoy_days BIGINT, mark TEXT
--! grain:   metric, month
--! finding: {% set grown = rows|rejectattr("mom", "none")|list %}{% if grown %}{% set last = grown[-1] %}{{ params.platform }}, {{ last.metric|title_of }}: {% if last.mom == 0 %}unchanged{% elif last.mom > 0 %}up {{ last.mom|pct }}{% else %}down {{ (0 - last.mom)|pct }}{% endif %} in {{ last.month|month }} against {% if last.basis == "month" %}the month before{% else %}the same days of the month before{% endif %}{% else %}No two months that compare{% endif %}
--! subtitle: growth against the month before; unfinished months compare the same days
--! report:  section=growth order=30
--! privacy: value, per_day
SELECT
  metric, month, value, unit, CASE WHEN kind = 'flow' THEN round(per_day, 2) END AS per_day, days_known, days_in_month, left_out,
  finished, basis, mom, mom_days, yoy, yoy_days,
  CASE WHEN finished AND NOT coalesce(jumped, false) THEN 'computed' WHEN left_out > 0 THEN 'artefact' ELSE 'unfinished' END AS mark
FROM own_growth
WHERE platform = $platform AND ($metric = 'all' OR $metric IN (measure, metric))
  AND ($month IS NULL OR month <= CAST($month AS DATE)
    AND month >= CAST(CAST($month AS DATE) - INTERVAL '12 months' AS DATE))
ORDER BY metric, month
