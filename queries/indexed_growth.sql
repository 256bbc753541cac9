--- Growth of each platform since one date, where each stands at 100.
--- The value at the base date lies between the statements around it, interpolated log-linearly: the same
--- growth every day between the two. A platform without statements on both sides of the base, or on it, is
--- left out. Without a base: a year before the month's end.
--! params:  month DATE, base DATE = null, platforms TEXT[] = all, metric TEXT = mau
--! columns: platform TEXT, as_of DATE, index DOUBLE, value BIGINT, base_value DOUBLE, unit TEXT, metric TEXT, mark TEXT
--! grain:   platform, metric, unit, as_of
--! chart:   line x=as_of y=index series=platform mark=mark reference=100
--! finding: {% if rows %}{% set best = namespace(top=none, platforms=0) %}{% for series in rows|groupby("platform") %}{% set last = (series.list|sort(attribute="as_of"))[-1] %}{% set best.platforms = best.platforms + 1 %}{% if best.top is none or last.index > best.top.index %}{% set best.top = last %}{% endif %}{% endfor %}{% set top = best.top %}{% if top.index > 100 %}{{ top.platform }} grew {{ "most, " if best.platforms > 1 else "" }}to {{ top.index|short }} on {{ top.as_of|day }}{% elif best.platforms > 1 %}No platform ends above its base{% elif top.index < 100 %}{{ top.platform }} fell to {{ top.index|short }} on {{ top.as_of|day }}{% else %}{{ top.platform }} is unchanged on {{ top.as_of|day }}{% endif %}{% else %}No platform has statements on both sides of the base date{% endif %}
--! subtitle: monthly active users, {% if rows %}{{ rows[0].as_of|day }}{% else %}the base date{% endif %} = 100; interpolated where no statement lies on it
--! report:  section=rivals order=50
--! privacy: value, base_value
WITH period AS (
  SELECT
    CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE) AS last_day,
    coalesce(
      CAST($base AS DATE),
      CAST(CAST($month AS DATE) - INTERVAL '11 months' - INTERVAL '1 day' AS DATE)
    ) AS base_day
),
figures AS (
  SELECT
    k.platform, k.metric, k.unit, k.as_of, k.value, k.finished, k.origin, p.base_day,
    lead(k.as_of) OVER series AS next_as_of,
    lead(k.value) OVER series AS next_value
  FROM known k
  CROSS JOIN period p
  WHERE k.comparable AND $metric IN (k.measure, k.metric) AND k.as_of <= p.last_day AND k.value > 0
    AND (cardinality($platforms) = 0 OR array_has($platforms, k.platform))
  WINDOW series AS (PARTITION BY k.platform, k.metric, k.unit ORDER BY k.as_of)
),
with_base AS (
  SELECT
    *,
    max(CASE
      WHEN as_of = base_day THEN CAST(value AS DOUBLE)
      WHEN as_of < base_day AND next_as_of > base_day THEN
        value * power(CAST(next_value AS DOUBLE) / value, CAST(base_day - as_of AS DOUBLE) / (next_as_of - as_of))
    END) OVER (PARTITION BY platform, metric, unit) AS base_value
  FROM figures
),
-- Each figure from the base on, and one interpolated point at the base where none lies on it.
points AS (
  SELECT
    f.platform, f.metric, f.unit, f.base_value,
    CASE r.role WHEN 'base' THEN f.base_day ELSE f.as_of END AS as_of,
    CASE r.role WHEN 'figure' THEN f.value END AS value,
    CASE
      WHEN r.role = 'base' THEN 'interpolated'
      WHEN f.origin = 'statement' THEN 'statement'
      WHEN f.finished THEN 'computed'
      ELSE 'unfinished'
    END AS mark
  FROM with_base f
  CROSS JOIN (SELECT column1 AS role FROM (VALUES ('figure'), ('base')) AS v) AS r
  WHERE f.base_value IS NOT NULL AND (
    r.role = 'figure' AND f.as_of >= f.base_day
    OR r.role = 'base' AND f.as_of < f.base_day AND f.next_as_of > f.base_day
  )
)
SELECT
  platform, as_of,
  CASE mark WHEN 'interpolated' THEN 100.0 ELSE round(100.0 * value / base_value, 2) END AS index,
  value, round(base_value, 2) AS base_value, unit, metric, mark
FROM points
ORDER BY platform, metric, unit, as_of
