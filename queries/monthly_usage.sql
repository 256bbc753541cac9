--- What is known of every platform at the month's end, figure by figure, with the age of each.
--- The last figure at or before the month's last day: a platform's own counts where there are any, else
--- its public statements that compute. Flows are means a day. Nothing later than the month is used.
--! params:  month DATE, platforms TEXT[] = all
--! columns: platform TEXT, metric TEXT, value BIGINT, unit TEXT, as_of DATE, age_days BIGINT, status TEXT, qualifier TEXT, finished BOOLEAN, definition TEXT, source_title TEXT, source_url TEXT
--! grain:   platform, metric, unit
--! finding: {% if rows %}{% set known = rows|map(attribute="platform")|unique|list|length %}{{ known }} platform{{ "" if known == 1 else "s" }} with a figure known at the end of {{ params.month|month }}{% else %}No figure is known at the end of {{ params.month|month }}{% endif %}
--! subtitle: the last figure at or before the month's last day; its age in days
--! report:  section=rivals order=60
--! privacy: value
WITH known_then AS (
  SELECT
    *,
    CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE) - as_of AS age_days
  FROM known
  WHERE as_of < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE)
    AND (cardinality($platforms) = 0 OR array_has($platforms, platform))
  QUALIFY row_number() OVER (PARTITION BY platform, metric, unit ORDER BY as_of DESC, origin DESC) = 1
)
SELECT
  k.platform, k.metric, k.value, k.unit, k.as_of, k.age_days, k.status, k.qualifier,
  k.finished, CASE k.definition WHEN '' THEN m.definition ELSE k.definition END AS definition,
  k.source_title, k.source_url
FROM known_then k
JOIN metrics m ON m.metric = k.metric
ORDER BY k.platform, k.measure, k.metric, k.unit
