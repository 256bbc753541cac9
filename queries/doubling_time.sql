--- How long each platform takes to double, over its last two statements and over the last year or more.
--- doubling time = ln 2 / ln(1 + CMGR), in months of 146097/4800 days. The longer view goes back from the
--- last statement to the latest one at least 365 days before it. Empty where there is no growth. A platform whose
--- last statement is more than `max_age_days` old at the month's end (3 years) is left out.
--! params:  month DATE, platforms TEXT[] = all, metric TEXT = mau, max_age_days BIGINT = 1096
--! columns: platform TEXT, metric TEXT, unit TEXT, value BIGINT, as_of DATE, age_days BIGINT, pair_from_value BIGINT, pair_from_as_of DATE, pair_cmgr DOUBLE, pair_doubling_months DOUBLE, year_from_value BIGINT, year_from_as_of DATE, year_cmgr DOUBLE, year_doubling_months DOUBLE
--! grain:   platform, metric, unit
--! chart:   bars x=platform y=year_doubling_months note=age_days y_unit=months
--! finding: {% set growing = rows|selectattr("year_doubling_months")|list %}{% if growing %}{% set first = growing[0] %}{{ first.platform }} doubled{% if growing|length > 1 %} fastest:{% endif %} every {{ first.year_doubling_months|short }} month{{ "" if first.year_doubling_months == 1 else "s" }}, between {{ first.year_from_as_of|day }} and {{ first.as_of|day }}{% else %}No platform with two statements a year apart grew between them{% endif %}
--! subtitle: months to double at the growth up to the last statement, over a year or more; last {% if (params.max_age_days ~ "") == "1096" %}figures at most 3 years old{% else %}figures at most {{ params.max_age_days }} days old{% endif %}
--! report:  section=rivals order=57
--! privacy: value, pair_from_value, year_from_value
WITH stated AS (
  SELECT
    platform, metric, unit, as_of, value,
    lag(as_of) OVER series AS pair_from_as_of,
    lag(value) OVER series AS pair_from_value,
    -- Days as numbers, so that the frame can look a year back.
    last_value(as_of) OVER year_back AS year_from_as_of,
    last_value(value) OVER year_back AS year_from_value
  FROM statements
  WHERE computes AND $metric IN (measure, metric)
    AND as_of < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE)
    AND (cardinality($platforms) = 0 OR array_has($platforms, platform))
    AND unit IN ('users', 'user accounts', 'accounts', 'messages/day', 'users/day')
  WINDOW
    series AS (PARTITION BY platform, metric, unit ORDER BY as_of),
    year_back AS (
      PARTITION BY platform, metric, unit ORDER BY arrow_cast(as_of, 'Int32')
      RANGE BETWEEN UNBOUNDED PRECEDING AND 365 PRECEDING
    )
),
last_stated AS (
  SELECT
    *,
    as_of - pair_from_as_of AS pair_days,
    as_of - year_from_as_of AS year_days,
    nullif(CAST(value AS DOUBLE) / nullif(pair_from_value, 0), 0) AS pair_times,
    nullif(CAST(value AS DOUBLE) / nullif(year_from_value, 0), 0) AS year_times
  FROM stated
  QUALIFY row_number() OVER (PARTITION BY platform, metric, unit ORDER BY as_of DESC) = 1
)
SELECT
  platform, metric, unit, value, as_of,
  CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE) - as_of AS age_days,
  pair_from_value, pair_from_as_of,
  round(nullif(power(pair_times, 146097.0 / 4800.0 / pair_days), CAST('Infinity' AS DOUBLE)) - 1, 6) AS pair_cmgr,
  CASE WHEN pair_times > 1 THEN round(ln(2.0) * pair_days / (146097.0 / 4800.0) / ln(pair_times), 2) END AS pair_doubling_months,
  year_from_value, year_from_as_of,
  round(nullif(power(year_times, 146097.0 / 4800.0 / year_days), CAST('Infinity' AS DOUBLE)) - 1, 6) AS year_cmgr,
  CASE WHEN year_times > 1 THEN round(ln(2.0) * year_days / (146097.0 / 4800.0) / ln(year_times), 2) END AS year_doubling_months
FROM last_stated
WHERE pair_from_as_of IS NOT NULL
  AND CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE) - as_of <= $max_age_days
ORDER BY year_doubling_months NULLS LAST, platform, metric, unit
