--- What was publicly said of one figure of the platform over time: what computes, and what is only shown.
--- Disputed figures, estimates and repetitions are points apart from the line; `resolution` says why.
--! params:  platform TEXT, metric TEXT = mau, month DATE = null
--! columns: series TEXT, metric TEXT, as_of DATE, value BIGINT, unit TEXT, status TEXT, qualifier TEXT, published TEXT, resolution TEXT, source_title TEXT, source_url TEXT, mark TEXT, note TEXT
--! grain:   metric, unit, as_of, value, series
--! chart:   line x=as_of y=value series=series mark=mark note=note
--! finding: {% set words = {"exact": "", "about": "about ", "at_least": "more than ", "at_most": "at most "} %}{% set line = rows|selectattr("mark", "equalto", "statement")|list %}{% set apart = rows|selectattr("status", "equalto", "disputed")|selectattr("mark", "equalto", "shown")|list %}{% set others = rows|selectattr("status", "in", ["estimate", "compiled", "record"])|list %}{% if line %}{% set first = line[0] %}{% set last = line[-1] %}{{ params.platform }}: {{ words[last.qualifier] }}{{ last.value|short }}{% if first.value != last.value and first.unit == last.unit %}, from {{ words[first.qualifier] }}{{ first.value|short }} in {{ first.as_of|month }}{% endif %}{% if apart %}; {{ apart[-1].value|short }} of {{ apart[-1].as_of|month }} is disputed{% endif %}{% elif others %}{% set last = others[-1] %}{{ params.platform }} has stated nothing{% if others|length < rows|length %} that computes{% endif %}; {% if last.status == "estimate" %}an estimate{% elif last.status == "compiled" %}a compiled figure{% else %}a record{% endif %} says {{ words[last.qualifier] }}{{ last.value|short }} for {{ last.as_of|day }}{% elif rows %}Nothing that was said of {{ params.platform }} computes{% else %}Nothing was said of {{ params.platform }}{% endif %}
--! subtitle: {% if rows %}{{ rows[0].metric|title_of }}{% else %}figures{% endif %} as stated; points apart from the line are not computed with
--! report:  section=growth order=5
--! privacy: value
SELECT
  CASE WHEN computes THEN platform ELSE 'not computed with' END AS series,
  metric, as_of, value, unit, status, qualifier, published, resolution, source_title, source_url,
  CASE WHEN computes THEN 'statement' ELSE 'shown' END AS mark,
  CASE WHEN NOT computes THEN CASE WHEN status IN ('stated', 'derived') THEN 'repeated' ELSE status END END AS note
FROM statements
WHERE platform = $platform AND $metric IN (measure, metric)
  AND ($month IS NULL OR as_of < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE))
ORDER BY computes DESC, as_of, metric, unit, value, series
