--- How many monthly users each platform has for each person who works on it.
--- The last headcount and the last monthly users at or before the month's end, at most two years apart. Who is
--- counted (employees, engineers, developers) is in `people_unit`; what it costs to run stands beside it where it is known.
--! params:  month DATE, platforms TEXT[] = all, platform TEXT = null
--! columns: platform TEXT, users_per_person DOUBLE, mau BIGINT, mau_as_of DATE, people BIGINT, people_unit TEXT, people_as_of DATE, people_age_days BIGINT, monthly_cost BIGINT, cost_unit TEXT, cost_as_of DATE, note TEXT
--! grain:   platform
--! chart:   bars x=platform y=users_per_person note=note
--! finding: {% set own = rows|selectattr("platform", "equalto", params.platform)|list %}{% if own %}{{ params.platform }} has {{ own[0].users_per_person|short }} monthly users for each of {{ own[0].people|short }} {{ own[0].people_unit }}{% elif rows %}{{ rows[0].platform }} has most monthly users a person: {{ rows[0].users_per_person|short }}{% else %}No platform has said how many work on it{% endif %}
--! subtitle: monthly active users / people who work on the platform, each as last stated
--! report:  section=left_out order=30
--! privacy: mau
WITH stated AS (
  SELECT *
  FROM statements
  WHERE computes AND measure IN ('mau', 'headcount', 'monthly_cost')
    AND as_of < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE)
    AND (cardinality($platforms) = 0 OR array_has($platforms, platform))
  QUALIFY row_number() OVER (PARTITION BY platform, measure ORDER BY as_of DESC, unit, value DESC) = 1
),
side_by_side AS (
  SELECT
    platform,
    max(CASE measure WHEN 'mau' THEN value END) AS mau,
    max(CASE measure WHEN 'mau' THEN as_of END) AS mau_as_of,
    max(CASE measure WHEN 'headcount' THEN value END) AS people,
    max(CASE measure WHEN 'headcount' THEN unit END) AS people_unit,
    max(CASE measure WHEN 'headcount' THEN as_of END) AS people_as_of,
    max(CASE measure WHEN 'monthly_cost' THEN value END) AS monthly_cost,
    max(CASE measure WHEN 'monthly_cost' THEN unit END) AS cost_unit,
    max(CASE measure WHEN 'monthly_cost' THEN as_of END) AS cost_as_of
  FROM stated
  GROUP BY platform
),
comparable AS (
  SELECT *, bool_or(platform = $platform) OVER () AS own_known
  FROM side_by_side
  WHERE people > 0 AND mau IS NOT NULL AND abs(people_as_of - mau_as_of) <= 731
)
SELECT
  platform, round(CAST(mau AS DOUBLE) / people, 1) AS users_per_person, mau, mau_as_of,
  people, people_unit, people_as_of,
  CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE) - people_as_of AS people_age_days,
  monthly_cost, cost_unit, cost_as_of,
  concat(
    ltrim(reverse(regexp_replace(reverse(CAST(people AS VARCHAR)), '([0-9]{3})', concat('${1}', chr(8239)), 'g')), chr(8239)), ' ', people_unit, ', ', to_char(people_as_of, '%Y'),
    CASE WHEN monthly_cost IS NULL THEN '' ELSE concat('; costs ', ltrim(reverse(regexp_replace(reverse(CAST(monthly_cost AS VARCHAR)), '([0-9]{3})', concat('${1}', chr(8239)), 'g')), chr(8239)), ' ', cost_unit) END
  ) AS note
FROM comparable
-- Where one platform is asked about, the others stand beside it, not instead of it.
WHERE $platform IS NULL OR own_known
ORDER BY users_per_person DESC, platform
