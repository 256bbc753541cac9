--- Rank and share of each platform among those compared, at the month's end.
--- Each platform's last figure at or before the month's last day, at most `max_age_days` old then (3 years); share =
--- value / sum of the set. Only units that compare (users, user accounts, accounts; messages a day; signups a day). People
--- use several messengers: shares are of accounts counted, not of people.
--! params:  month DATE, platforms TEXT[] = all, metric TEXT = mau, max_age_days BIGINT = 1096
--! columns: rank BIGINT, platform TEXT, value BIGINT, share DOUBLE, unit TEXT, metric TEXT, as_of DATE, age_days BIGINT, status TEXT, qualifier TEXT, finished BOOLEAN
--! grain:   platform
--! chart:   bars x=platform y=value label=share note=age_days
--! finding: {% set words = {"exact": "", "about": "about ", "at_least": "more than ", "at_most": "at most "} %}{% if rows|length > 1 %}{% if rows[1].rank == 1 %}{{ rows[0].platform }} and {{ rows[1].platform }} lead{% else %}{{ rows[0].platform }} leads{% endif %} {{ rows|length }} platforms with {{ words[rows[0].qualifier] }}{{ rows[0].value|short }}{% if rows[0].share is not none %}, {{ rows[0].share|pct }} of the set{% if rows[1].rank == 1 %} each{% endif %}{% endif %}{% elif rows %}Only {{ rows[0].platform }} has a figure that compares: {{ words[rows[0].qualifier] }}{{ rows[0].value|short }}{% else %}No platform has a figure that compares{% endif %}
--! subtitle: last figure known at the month's end, {{ "" }}{% if (params.max_age_days ~ "") == "1096" %}figures at most 3 years old{% else %}figures at most {{ params.max_age_days }} days old{% endif %}; share of the set compared
--! report:  section=rivals order=10
--! privacy: value
WITH known_then AS (
  SELECT *
  FROM known
  WHERE comparable AND $metric IN (measure, metric)
    AND as_of < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE)
    AND CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE) - as_of <= $max_age_days
    AND (cardinality($platforms) = 0 OR array_has($platforms, platform))
  QUALIFY row_number() OVER (PARTITION BY platform ORDER BY as_of DESC, origin DESC, metric, value DESC, unit) = 1
)
SELECT
  CAST(rank() OVER (ORDER BY value DESC) AS BIGINT) AS rank,
  platform, value,
  round(CAST(value AS DOUBLE) / nullif(CAST(sum(CAST(value AS DECIMAL(38, 0))) OVER () AS DOUBLE), 0), 6) AS share,
  unit, metric, as_of,
  CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE) - as_of AS age_days,
  status, qualifier, finished
FROM known_then
ORDER BY rank, platform
