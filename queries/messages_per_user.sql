--- Messages a day for each monthly and each daily user, platform by platform.
--- per_mau = messages a day / monthly users, per_dau = messages a day / daily users, from the last figures
--- at or before the month's last day, with the age of each; figures more than a year apart give none. Some platforms count messages sent, others
--- deliveries, where one group message counts once per recipient: the definition stands beside.
--! params:  month DATE, platforms TEXT[] = all, platform TEXT = null
--! columns: platform TEXT, messages_per_day BIGINT, messages_as_of DATE, messages_age_days BIGINT, mau BIGINT, mau_as_of DATE, mau_age_days BIGINT, per_mau DOUBLE, dau BIGINT, dau_as_of DATE, dau_age_days BIGINT, per_dau DOUBLE, days_apart BIGINT, definition TEXT
--! grain:   platform
--! chart:   bars x=platform y=per_mau note=messages_age_days
--! finding: {% set counted = rows|selectattr("per_mau")|list %}{% set own = counted|selectattr("platform", "equalto", params.platform)|list %}{% if own %}{{ params.platform }}: {{ own[0].per_mau|short }} messages a day for each monthly user{% elif counted %}{{ counted[0].platform }}: {{ counted[0].per_mau|short }} messages a day for each monthly user{% else %}No platform has both messages and monthly users{% endif %}
--! subtitle: messages a day / monthly users; sent and delivered messages are counted differently
--! report:  section=messages order=10
--! privacy: mau, dau
WITH known_then AS (
  SELECT *
  FROM known
  WHERE comparable AND measure IN ('messages', 'mau', 'dau')
    AND as_of < CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE)
    AND (cardinality($platforms) = 0 OR array_has($platforms, platform))
  QUALIFY row_number() OVER (
    PARTITION BY platform, measure ORDER BY as_of DESC, origin DESC, metric, value DESC, unit
  ) = 1
),
side_by_side AS (
  SELECT
    platform,
    CAST(CAST($month AS DATE) + INTERVAL '1 month' - INTERVAL '1 day' AS DATE) AS last_day,
    max(CASE measure WHEN 'messages' THEN value END) AS messages_per_day,
    max(CASE measure WHEN 'messages' THEN as_of END) AS messages_as_of,
    max(CASE measure WHEN 'messages' THEN definition END) AS definition,
    max(CASE measure WHEN 'mau' THEN value END) AS mau,
    max(CASE measure WHEN 'mau' THEN as_of END) AS mau_as_of,
    max(CASE measure WHEN 'dau' THEN value END) AS dau,
    max(CASE measure WHEN 'dau' THEN as_of END) AS dau_as_of
  FROM known_then
  GROUP BY platform
)
SELECT
  platform, messages_per_day, messages_as_of, last_day - messages_as_of AS messages_age_days,
  mau, mau_as_of, last_day - mau_as_of AS mau_age_days,
  CASE WHEN abs(messages_as_of - mau_as_of) <= 366 THEN round(CAST(messages_per_day AS DOUBLE) / nullif(mau, 0), 2) END AS per_mau,
  dau, dau_as_of, last_day - dau_as_of AS dau_age_days,
  CASE WHEN abs(messages_as_of - dau_as_of) <= 366 THEN round(CAST(messages_per_day AS DOUBLE) / nullif(dau, 0), 2) END AS per_dau,
  abs(messages_as_of - coalesce(mau_as_of, dau_as_of)) AS days_apart,
  definition
FROM (
  SELECT *, bool_or(platform = $platform) OVER () AS own_known
  FROM side_by_side
  WHERE messages_per_day IS NOT NULL AND (mau IS NOT NULL OR dau IS NOT NULL)
)
-- Where one platform is asked about, the others stand beside it, not instead of it.
WHERE $platform IS NULL OR own_known
ORDER BY per_mau DESC NULLS LAST, platform
