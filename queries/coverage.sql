--- How many of a network's servers reported, day by day.
--- reported of known: known is a server that has reported the metric on the day or within the 30 days before it. A silent server is
--- missing from the network's sums, never zero, unless essor.toml says `carry_forward = DAYS`: then its last figure stands
--- for so many silent days (`carried`). share = reported / known. What is no network (`network = "NAME"` under [project]) has no rows.
--- Where a month is given: that month and the two before it.
--! params:  platform TEXT, metric TEXT = all, from DATE = null, to DATE = null, month DATE = null
--! columns: metric TEXT, day DATE, reported BIGINT, known BIGINT, carried BIGINT, share DOUBLE
--! grain:   metric, day
--! assert:  reported + carried <= known
--! assert:  share >= 0 AND share <= 1
--! chart:   line x=day y=share series=metric
--! finding: {% if rows %}{% set worst = (rows|sort(attribute="share"))[0] %}{{ params.platform }}: {% if worst.share < 1 %}on {{ worst.day|day }} {{ worst.reported }} of {{ worst.known }} servers reported {{ worst.metric|title_of }}, the fewest{% else %}every known server reported every day{% endif %}{% else %}No network of that name{% endif %}
--! subtitle: servers that reported / servers known
--! report:  section=quality order=5
--! privacy: none
SELECT metric, day, reported, known, carried, round(CAST(reported AS DOUBLE) / known, 4) AS share
FROM network_days
WHERE platform = $platform AND ($metric = 'all' OR metric = $metric)
  AND day >= coalesce(CAST($from AS DATE), CAST(CAST($month AS DATE) - INTERVAL '2 months' AS DATE), DATE '0001-01-01')
  AND day < coalesce(CAST($to AS DATE) + 1, CAST(CAST($month AS DATE) + INTERVAL '1 month' AS DATE), DATE '9999-12-31')
ORDER BY metric, day
