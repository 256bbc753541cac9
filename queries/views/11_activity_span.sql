--- One day of a platform's activity a row, from the first that is covered to the last, and whether it is
--- covered: whether it lies in the span (first to last day) of a live load that holds activity of the platform. A covered day
--- without a row is a silent day, a true zero; a day between loads is unknown, never zero. Loads that hold only
--- signups cover nothing. `first_day` is the first of the platform's history.
WITH spans AS (
  SELECT a.platform, l.first_day AS span_from, l.last_day AS span_to
  FROM (SELECT DISTINCT platform, load FROM activity WHERE event = 'active') AS a
  JOIN loads l ON l.load = a.load
  WHERE l.first_day IS NOT NULL AND l.last_day IS NOT NULL
),
-- Each span adds the days after all spans before it: first those between, which no load covers, then its own.
days AS (
  SELECT
    platform, span_from, min(span_from) OVER (PARTITION BY platform) AS first_day,
    unnest(generate_series(coalesce(max(span_to) OVER earlier + 1, span_from), span_to, INTERVAL '1 day')) AS day
  FROM spans
  WINDOW earlier AS (PARTITION BY platform ORDER BY span_from, span_to ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT platform, day, day >= span_from AS covered, first_day
FROM days
