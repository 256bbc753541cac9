--- Where the active users of each day, week or month came from, and where those of the one before went.
--- A(t) is who was active in the period. new: first active ever, = A(t) less all seen before; retained: in A(t) and A(t-1);
--- resurrected: in A(t), not in A(t-1), seen before; churned: in A(t-1), not in A(t); net = A(t) - A(t-1);
--- quick_ratio = (new + resurrected) / churned, where the period and the one before are covered in full. A signup before the loaded history makes the first activity seen
--- `resurrected`. Of the first period nothing before is known: only `new`, and only where every active user has a
--- known signup. After a period without one covered day nothing is compared.
--- By a dimension users count under the value of their last active day in the period (of several values on that day
--- the first in byte order). Who is active in both periods under different values moved: moved_out of the one,
--- moved_in to the other, neither churn nor growth. The values add up to `all_active`.
--- `unfinished`: a day of the period or of the one before is not covered by a load, or the period is not over.
--- Where a month is given: from five months before it on.
--! params:  platform TEXT, by TEXT = week, dimension TEXT = '', from DATE = null, to DATE = null, month DATE = null
--! columns: period DATE, dimension_value TEXT, active BIGINT, previous BIGINT, new BIGINT, retained BIGINT, resurrected BIGINT, churned BIGINT, moved_in BIGINT, moved_out BIGINT, net BIGINT, quick_ratio DOUBLE, all_active BIGINT, mark TEXT
--! grain:   period, dimension_value
--! assert:  new + retained + resurrected + moved_in = active
--! assert:  retained + churned + moved_out = previous
--! assert:  new + resurrected + moved_in - churned - moved_out = net
--! assert:  active - previous = net
--! assert:  sum(active) OVER (PARTITION BY period) = all_active
--! assert:  sum(moved_in) OVER (PARTITION BY period) = sum(moved_out) OVER (PARTITION BY period)
--! chart:   stacked x=period up=retained,resurrected,new down=churned total=active net=net mark=mark series=dimension_value
--! finding: {% set known = rows|selectattr("mark", "equalto", "computed")|rejectattr("net", "none")|list %}{% if known %}{% set last = known[-1] %}{% set now = known|selectattr("period", "equalto", last.period)|list %}{% set net = now|map(attribute="net")|sum %}{{ params.platform }} in {% if params.by == "month" %}{{ last.period|month }}{% else %}the {{ params.by }} of {{ last.period|day }}{% endif %}: {% if net > 0 %}{{ net|short }} active users more than{% elif net < 0 %}{{ (0 - net)|short }} active users fewer than{% else %}as many active users as{% endif %} in the {{ params.by }} before{% else %}No two {{ params.by }}s that compare{% endif %}
--! subtitle: active users by {{ params.by }}: new, resurrected and retained above zero, churned below{% if params.dimension %}; by {{ params.dimension }} of the last active day{% endif %}
--! report:  section=activity order=20
--! privacy: active, previous, new, retained, resurrected, churned, moved_in, moved_out, net, all_active
WITH calendar AS (
  SELECT
    period, known, whole, lag(known) OVER so_far AS known_before, lag(whole) OVER so_far AS whole_before
  FROM (
    SELECT
      period_start(day, $by) AS period, bool_or(covered) AS known,
      bool_and(covered) AND min(day) = period_start(min(day), $by)
        AND period_start(max(day) + 1, $by) > max(day) AS whole
    FROM activity_span
    WHERE platform = $platform AND ($to IS NULL OR day <= CAST($to AS DATE))
    GROUP BY period_start(day, $by)
  )
  WINDOW so_far AS (ORDER BY period)
),
-- A bucket's signups: of whom any is known, and who signed up before the history begins.
signed_up AS (
  SELECT s.bucket, bitmap_union(s.users) AS users, bitmap_union(CASE WHEN s.day < h.first_day THEN s.users END) AS early
  FROM activity s
  CROSS JOIN (SELECT min(first_day) AS first_day FROM activity_span WHERE platform = $platform) AS h
  WHERE s.platform = $platform AND s.event = 'signup' AND ($to IS NULL OR s.day <= CAST($to AS DATE))
  GROUP BY s.bucket
),
-- Who was active in a period, beside those of the period before, of the one after, and all before.
sets AS (
  SELECT
    period, bucket, users,
    CASE WHEN lag(period) OVER so_far = period_start(period - 1, $by) THEN lag(users) OVER so_far END AS before,
    CASE WHEN period_start(lead(period) OVER so_far - 1, $by) = period THEN lead(users) OVER so_far END AS after,
    bitmap_union(users) OVER (PARTITION BY bucket ORDER BY period ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS seen
  FROM (
    SELECT period_start(day, $by) AS period, bucket, bitmap_union(users) AS users
    FROM activity
    WHERE platform = $platform AND event = 'active' AND dimension = '' AND ($to IS NULL OR day <= CAST($to AS DATE))
    GROUP BY period_start(day, $by), bucket
  )
  WINDOW so_far AS (PARTITION BY bucket ORDER BY period)
),
placed AS (
  SELECT
    s.period, s.bucket, s.users, s.before, s.after, u.users AS signed_up,
    CASE WHEN u.early IS NULL THEN s.seen ELSE bitmap_or(s.seen, u.early) END AS seen
  FROM sets s
  LEFT JOIN signed_up u ON u.bucket = s.bucket
),
-- From the period's last day back: a user counts under the value seen first.
last_values AS (
  SELECT
    period, bucket, dimension_value,
    bitmap_andnot(users, bitmap_union(users) OVER (
      PARTITION BY period, bucket ORDER BY day DESC, dimension_value ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )) AS users
  FROM (
    SELECT period_start(day, $by) AS period, day, bucket, dimension_value, users
    FROM activity
    WHERE platform = $platform AND event = 'active' AND dimension = $dimension AND $dimension <> ''
      AND ($to IS NULL OR day <= CAST($to AS DATE))
  )
),
parts AS (
  SELECT
    period, bucket, dimension_value, users,
    CASE WHEN lag(period) OVER so_far = period_start(period - 1, $by) THEN lag(users) OVER so_far END AS before,
    CASE WHEN period_start(lead(period) OVER so_far - 1, $by) = period THEN lead(users) OVER so_far END AS after
  FROM (
    SELECT period, bucket, dimension_value, bitmap_union(users) AS users
    FROM last_values
    GROUP BY period, bucket, dimension_value
  )
  WINDOW so_far AS (PARTITION BY bucket, dimension_value ORDER BY period)
),
-- Counts within a bucket. Those who leave stand with the period that they were active in: `lost` is not active
-- in the next one, `stay` is under the same value there.
counts AS (
  SELECT
    period, '' AS dimension_value, bitmap_count(users) AS active,
    bitmap_andnot_count(users, seen) AS new,
    bitmap_and_count(users, before) AS active_before,
    bitmap_and_count(users, before) AS retained,
    bitmap_and_count(users, seen) AS seen_before,
    bitmap_andnot_count(users, after) AS lost,
    bitmap_andnot_count(users, after) AS not_staying,
    bitmap_andnot_count(users, signed_up) AS without_signup
  FROM placed
  WHERE $dimension = ''
  UNION ALL
  SELECT
    p.period, p.dimension_value, bitmap_count(p.users),
    bitmap_andnot_count(p.users, s.seen),
    bitmap_and_count(p.users, s.before),
    bitmap_and_count(p.users, p.before),
    bitmap_and_count(p.users, s.seen),
    bitmap_andnot_count(p.users, s.after),
    bitmap_andnot_count(p.users, p.after),
    bitmap_andnot_count(p.users, s.signed_up)
  FROM parts p
  JOIN placed s ON s.period = p.period AND s.bucket = p.bucket
  WHERE $dimension <> ''
),
summed AS (
  SELECT
    period, dimension_value, sum(active) AS active, sum(new) AS new, sum(retained) AS retained,
    -- Seen before, but not in the period before. Early signups are seen, so no activity before is needed.
    sum(seen_before - active_before) AS resurrected,
    sum(active_before - retained) AS moved_in,
    sum(lost) AS lost, sum(not_staying - lost) AS leaving, sum(without_signup) AS without_signup
  FROM counts
  GROUP BY period, dimension_value
),
-- Counted without the dimension, for the values to add up to.
totals AS (
  SELECT period, sum(users) AS active
  FROM (
    SELECT period_start(day, $by) AS period, bucket, bitmap_union_count(users) AS users
    FROM activity
    WHERE platform = $platform AND event = 'active' AND dimension = '' AND $dimension <> ''
      AND ($to IS NULL OR day <= CAST($to AS DATE))
    GROUP BY period_start(day, $by), bucket
  )
  GROUP BY period
),
dimension_values AS (
  SELECT '' AS dimension_value
  WHERE $dimension = ''
  UNION ALL
  SELECT DISTINCT dimension_value
  FROM activity
  WHERE platform = $platform AND event = 'active' AND dimension = $dimension AND $dimension <> ''
    AND ($to IS NULL OR day <= CAST($to AS DATE))
),
-- Every value in every period: what is missing is zero if the period is known.
periods AS (
  SELECT
    c.period, v.dimension_value, c.known, c.whole, c.known_before, c.whole_before,
    c.known AND coalesce(c.known_before, false) AS compares,
    coalesce(s.active, 0) AS active, coalesce(s.new, 0) AS new, coalesce(s.retained, 0) AS retained,
    coalesce(s.resurrected, 0) AS resurrected, coalesce(s.moved_in, 0) AS moved_in,
    coalesce(lag(s.active) OVER so_far, 0) AS previous,
    coalesce(lag(s.lost) OVER so_far, 0) AS churned,
    coalesce(lag(s.leaving) OVER so_far, 0) AS moved_out,
    coalesce(CASE WHEN $dimension = '' THEN s.active ELSE t.active END, 0) AS all_active,
    coalesce(sum(s.without_signup) OVER (PARTITION BY c.period), 0) AS without_signup
  FROM calendar c
  CROSS JOIN dimension_values v
  LEFT JOIN summed s ON s.period = c.period AND s.dimension_value = v.dimension_value
  LEFT JOIN totals t ON t.period = c.period
  WINDOW so_far AS (PARTITION BY v.dimension_value ORDER BY c.period)
)
SELECT
  period, dimension_value,
  CASE WHEN known THEN active END AS active,
  CASE WHEN known_before THEN previous END AS previous,
  CASE WHEN compares OR known AND known_before IS NULL AND without_signup = 0 THEN new END AS new,
  CASE WHEN compares THEN retained END AS retained,
  CASE WHEN compares THEN resurrected END AS resurrected,
  CASE WHEN compares THEN churned END AS churned,
  CASE WHEN compares THEN moved_in END AS moved_in,
  CASE WHEN compares THEN moved_out END AS moved_out,
  CASE WHEN compares THEN active - previous END AS net,
  CASE WHEN whole AND whole_before THEN round(CAST(new + resurrected AS DOUBLE) / nullif(churned, 0), 4) END AS quick_ratio,
  CASE WHEN known THEN all_active END AS all_active,
  CASE WHEN whole AND (NOT coalesce(known_before, false) OR whole_before) THEN 'computed' ELSE 'unfinished' END AS mark
FROM periods
-- A value stands where it has users now or had some in the period before.
WHERE ($dimension = '' OR active > 0 OR previous > 0)
  AND period >= period_start(coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '5 months' AS DATE), DATE '0001-02-01'), $by)
ORDER BY period, dimension_value
