--- Figures that can't be so, one a row: more active users than accounts, or more in a day or week than in the month
--- around it, on one server and day. They stay out of every total until essor.toml confirms them (`[[confirmed]]`).
--- Negative counts and -1 (not computed) never come this far: they are rejected where they are read.
WITH readings AS (
  SELECT platform, server, day, metric, measure, value
  FROM daily
  WHERE dimension = '' AND value IS NOT NULL AND (kind = 'distinct' OR metric = 'registered_users' AND kind = 'level')
),
by_day AS (
  SELECT
    platform, server, day, max(CASE WHEN metric = 'registered_users' THEN value END) AS accounts,
    max(CASE WHEN measure = 'mau' THEN value END) AS mau
  FROM readings
  GROUP BY platform, server, day
),
-- Servers tell of the day of the answer how many accounts there are, and of the day before who was active.
bounds AS (
  SELECT
    platform, server, day, mau,
    coalesce(accounts, max(accounts) OVER (
      PARTITION BY platform, server ORDER BY arrow_cast(day, 'Int32') RANGE BETWEEN CURRENT ROW AND 1 FOLLOWING
    )) AS accounts
  FROM by_day
)
SELECT
  r.platform, r.server, r.metric, r.day, r.value,
  CASE WHEN r.value > b.accounts THEN 'more than accounts' ELSE 'more than the month' END AS rule,
  CASE WHEN r.value > b.accounts THEN b.accounts ELSE b.mau END AS against
FROM readings r
JOIN bounds b ON b.platform = r.platform AND b.server = r.server AND b.day = r.day
LEFT JOIN confirmed c
  ON c.platform = r.platform AND c.server = r.server AND c.metric = r.metric AND c.day = r.day
WHERE c.platform IS NULL
  AND (r.metric <> 'registered_users' AND r.value > b.accounts OR r.measure IN ('dau', 'wau') AND r.value > b.mau)
