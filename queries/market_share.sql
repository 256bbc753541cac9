--- Rank and share of each platform among those compared, at the month's end.
--- Each platform's last figure at or before the month's last day, whatever its age; share = value / sum of
--- the set. Only units that compare (users, user accounts, accounts; messages a day; signups a day). People
--- use several messengers: shares are of accounts counted, not of people.
--! params:  month DATE, platforms TEXT[] = all, metric TEXT = mau
--! columns: rank BIGINT, platform TEXT, value BIGINT, share DOUBLE, unit TEXT, metric TEXT, as_of DATE, age_days BIGINT, status TEXT, qualifier TEXT, finished BOOLEAN
--! grain:   platform
--! chart:   bars x=platform y=value label=share note=age_days
--! finding: {% if rows|length > 1 %}{{ rows[0].platform }} leads {{ rows|length }} platforms with {{ rows[0].value|short }}{% if rows[0].share is not none %}, {{ rows[0].share|pct }} of the set{% endif %}{% elif rows %}Only {{ rows[0].platform }} has a figure that compares: {{ rows[0].value|short }}{% else %}No platform has a figure that compares{% endif %}
--! subtitle: last figure known at the month's end; share of the set compared
--! report:  section=rivals order=10
--! privacy: value
WITH known_then AS (
  SELECT *
  FROM known
  WHERE comparable AND $metric IN (measure, metric)
    AND as_of < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE)
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
