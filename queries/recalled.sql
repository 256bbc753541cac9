--- Statements published in the month about an earlier date that disagree with what computes.
--- A platform's past is often retold in round numbers. What was announced at the time computes; what is
--- recalled later is shown here beside it.
--! params:  month DATE, platform TEXT
--! columns: metric TEXT, value BIGINT, unit TEXT, as_of DATE, precision TEXT, status TEXT, published TEXT, sources BIGINT, source_title TEXT, source_url TEXT, more_urls TEXT, computing_value BIGINT, computing_as_of DATE, difference DOUBLE, resolution TEXT
--! grain:   metric, unit, as_of, value, precision
--! finding: {% if rows %}{{ params.month|month }} recalls {{ rows[0].value|short }} for {{ rows[0].as_of|month }}{% if rows[0].computing_value is not none %}; {{ rows[0].computing_value|short }} of {{ rows[0].computing_as_of|day }} computes{% endif %}{% else %}Nothing recalled in {{ params.month|month }} disagrees with what was announced{% endif %}
--! subtitle: statements published in the month about an earlier date
--! report:  section=headline order=30
--! privacy: value, computing_value
WITH recalled AS (
  SELECT *
  FROM statements
  WHERE platform = $platform AND NOT computes
    AND published LIKE concat(to_char(CAST($month AS DATE), '%Y-%m'), '%')
    AND as_of < CAST($month AS DATE)
),
computing AS (
  SELECT metric, unit, as_of, value
  FROM statements
  WHERE platform = $platform AND computes
    AND as_of < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE)
),
-- The computing statement at or before the day that is recalled, else the first one after it.
beside AS (
  SELECT r.*, c.value AS computing_value, c.as_of AS computing_as_of
  FROM recalled r
  LEFT JOIN computing c ON c.metric = r.metric AND c.unit = r.unit
  QUALIFY row_number() OVER (
    PARTITION BY r.metric, r.unit, r.as_of, r.value, r.precision
    ORDER BY c.as_of > r.as_of, abs(c.as_of - r.as_of)
  ) = 1
)
SELECT
  metric, value, unit, as_of, precision, status, published, sources, source_title, source_url, more_urls,
  computing_value, computing_as_of,
  round(CAST(value AS DOUBLE) / nullif(computing_value, 0) - 1, 6) AS difference, resolution
FROM beside
WHERE status = 'disputed' OR computing_value IS DISTINCT FROM value
ORDER BY sources DESC, as_of DESC, metric, unit, value, precision
