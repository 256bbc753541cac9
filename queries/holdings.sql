--- What the store holds: every platform's metrics, with their span, their gaps and how fresh they are.
--- Gaps are days within the span without a figure; a statement has none. Rejects and loads stand in the
--- tables of those names.
--! columns: platform TEXT, metric TEXT, origin TEXT, figures BIGINT, first_day DATE, last_day DATE, gaps BIGINT
--! grain:   platform, metric, origin
--! report:  none
SELECT platform, metric, origin, figures, first_day, last_day, gaps
FROM (
  SELECT
    platform, metric, 'statements' AS origin,
    COUNT(*) AS figures, MIN(as_of) AS first_day, MAX(as_of) AS last_day,
    CAST(NULL AS BIGINT) AS gaps
  FROM disclosures
  GROUP BY platform, metric
  UNION ALL
  SELECT
    platform, metric, 'usage' AS origin,
    COUNT(*) AS figures, MIN(day) AS first_day, MAX(day) AS last_day,
    CAST(MAX(day) - MIN(day) AS BIGINT) + 1 - COUNT(DISTINCT day) AS gaps
  FROM usage
  GROUP BY platform, metric
  UNION ALL
  -- Users of a day stand for all that is computed from activity.
  SELECT
    platform, 'dau' AS metric, 'activity' AS origin,
    COUNT(CASE WHEN covered THEN 1 END) AS figures, MIN(day) AS first_day, MAX(day) AS last_day,
    COUNT(CASE WHEN NOT covered THEN 1 END) AS gaps
  FROM activity_span
  GROUP BY platform
)
ORDER BY platform, origin, metric
