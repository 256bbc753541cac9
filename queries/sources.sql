--- Every public statement up to the month's end, with its source, and whether it computes.
--! params:  month DATE = null, platforms TEXT[] = all
--! columns: platform TEXT, metric TEXT, as_of DATE, precision TEXT, value BIGINT, unit TEXT, status TEXT, qualifier TEXT, computes BOOLEAN, resolution TEXT, definition TEXT, published TEXT, source_title TEXT, source_url TEXT, more_urls TEXT, sources BIGINT
--! grain:   platform, metric, unit, as_of, precision, value
--! finding: {% if rows %}{% set computing = rows|selectattr("computes")|list|length %}{{ rows|length }} statement{{ "" if rows|length == 1 else "s" }}, {{ computing }} of which compute{{ "s" if computing == 1 else "" }}{% else %}No public statement{% endif %}
--! subtitle: each with its first source; `resolution` says why a statement computes or not
--! report:  section=sources order=10
SELECT
  platform, metric, as_of, precision, value, unit, status, qualifier, computes, resolution, definition,
  published, source_title, source_url, more_urls, sources
FROM statements
WHERE (cardinality($platforms) = 0 OR array_has($platforms, platform))
  AND ($month IS NULL OR as_of < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE))
ORDER BY platform, metric, unit, as_of, precision, value
