--- The first statement at or above each round number: 1, 2 and 5 times a power of ten.
--- The dots are the statements; `note` names the round number. A platform's first statement gives only the largest
--- round number below it, as reached by then. A
--- statement of at most so many reaches nothing. `days_since` is the time since the milestone before.
--! params:  platforms TEXT[] = all, metric TEXT = mau, month DATE = null, platform TEXT = null
--! columns: platform TEXT, metric TEXT, unit TEXT, milestone BIGINT, as_of DATE, value BIGINT, qualifier TEXT, by_then BOOLEAN, days_since BIGINT, mark TEXT, note TEXT
--! grain:   platform, metric, unit, milestone
--! chart:   line x=as_of y=value series=platform mark=mark note=note scale=log
--! finding: {% if rows %}{% set newest = (rows|sort(attribute="as_of"))[-1] %}{% if newest.by_then %}The first known figure of {{ newest.platform }}, of {{ newest.as_of|day }}, is {{ newest.milestone|short }} or more{% else %}{{ newest.platform }} stated {{ newest.milestone|short }} or more for the first time on {{ newest.as_of|day }}{% if newest.days_since is not none and newest.days_since > 0 %}, {{ newest.days_since|exact }} day{{ "" if newest.days_since == 1 else "s" }} after the round number before{% endif %}{% endif %}{% else %}No round number was stated{% endif %}
--! subtitle: first public statement at or above 1, 2 and 5 times each power of ten
--! report:  section=growth order=40
--! privacy: value
WITH round_numbers AS (
  SELECT d.digit * CAST(power(CAST(10 AS BIGINT), e.exponent) AS BIGINT) AS milestone
  FROM (SELECT column1 AS digit FROM (VALUES (1), (2), (5)) AS v) AS d
  CROSS JOIN (SELECT unnest(generate_series(0, 15)) AS exponent) AS e
),
stated AS (
  SELECT
    platform, metric, unit, as_of, value, qualifier,
    max(value) OVER (
      PARTITION BY platform, metric, unit ORDER BY as_of ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS highest_before
  FROM statements
  WHERE computes AND qualifier <> 'at_most' AND $metric IN (measure, metric)
    AND (cardinality($platforms) = 0 OR array_has($platforms, platform))
    AND ($platform IS NULL OR platform = $platform)
    AND ($month IS NULL OR as_of < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE))
),
reached AS (
  SELECT
    s.*, r.milestone, s.highest_before IS NULL AS by_then,
    row_number() OVER (PARTITION BY s.platform, s.metric, s.unit, s.as_of ORDER BY r.milestone DESC) AS from_the_top
  FROM stated s
  JOIN round_numbers r ON r.milestone <= s.value AND r.milestone > coalesce(s.highest_before, 0)
)
SELECT
  platform, metric, unit, milestone, as_of, value, qualifier, by_then,
  as_of - lag(as_of) OVER (PARTITION BY platform, metric, unit ORDER BY milestone) AS days_since,
  'statement' AS mark,
  concat('first of ', CASE
    WHEN milestone >= 1000000000 THEN concat(CAST(milestone / 1000000000 AS VARCHAR), chr(8239), 'bn')
    WHEN milestone >= 1000000 THEN concat(CAST(milestone / 1000000 AS VARCHAR), chr(8239), 'M')
    WHEN milestone >= 1000 THEN concat(CAST(milestone / 1000 AS VARCHAR), chr(8239), 'k')
    ELSE CAST(milestone AS VARCHAR)
  END, ' or more') AS note
FROM reached
WHERE NOT by_then OR from_the_top = 1
ORDER BY platform, metric, unit, milestone
