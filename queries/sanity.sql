--- Which figures can't be so, and which hardly: what was found, and against what.
--- verdict `impossible` stays out of every total until essor.toml confirms it: more active users than accounts (`more than
--- accounts`), more in a day or week than in the month around it (`more than the month`). `unlikely` counts: a leap (at least 100 and more than 5 times
--- the most of the 28 days before), a flat line (the same figure of at least 100 on 21 days or more), a restated figure (`against` is the one before; change = value / against - 1).
--- Without a platform: of all.
--! params:  platform TEXT = all, month DATE = null
--! columns: verdict TEXT, rule TEXT, platform TEXT, server TEXT, metric TEXT, day DATE, value BIGINT, against BIGINT, change_rate DOUBLE, days BIGINT
--! grain:   rule, platform, server, metric, day
--! finding: {% set bad = rows|selectattr("verdict", "equalto", "impossible")|list|length %}{{ bad }} figure{{ "" if bad == 1 else "s" }} that can't be so, {{ rows|length - bad }} that {{ "is" if rows|length - bad == 1 else "are" }} hardly so
--! subtitle: up to the end of the month, where one is given
--! report:  section=quality order=20
--! privacy: value, against
WITH found AS (
  SELECT 'impossible' AS verdict, rule, platform, server, metric, day, value, against, CAST(1 AS BIGINT) AS days
  FROM impossible
  UNION ALL
  SELECT 'unlikely', rule, platform, server, metric, day, value, against, days
  FROM unlikely
)
SELECT
  verdict, rule, platform, server, metric, day, value, against,
  round(CAST(value AS DOUBLE) / nullif(against, 0) - 1, 4) AS change_rate, days
FROM found
WHERE $platform IN ('all', platform) AND ($month IS NULL OR day < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE))
ORDER BY verdict, rule, platform, server, metric, day
