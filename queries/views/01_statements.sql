--- One public statement a row: the same figure from several sources is one statement, and each says
--- whether it computes (goes into growth, rank and share) or is only shown, and why.
--- A series is (platform, metric, unit): units separate what must not be compared.
--- The rules in words: README.md beside this file.
--! hold: yes
WITH read AS (
  SELECT
    d.platform, d.metric, m.measure, d.value, d.unit, d.as_of, d.precision, d.status, d.qualifier,
    d.definition, d.published, d.source_title, d.source_url,
    CASE d.precision WHEN 'day' THEN 1 WHEN 'month' THEN 2 WHEN 'quarter' THEN 3 ELSE 4 END AS period,
    CASE d.qualifier WHEN 'exact' THEN 1 WHEN 'about' THEN 2 WHEN 'at_least' THEN 3 ELSE 4 END AS firmness,
    CASE d.status WHEN 'stated' THEN 1 WHEN 'derived' THEN 2 ELSE 3 END AS standing,
    -- A source without a date comes after those that have one.
    CASE WHEN d.published = '' THEN '9999' ELSE d.published END AS published_order
  FROM disclosures d
  JOIN metrics m ON m.metric = d.metric
),
ordered AS (
  SELECT
    *,
    row_number() OVER (
      PARTITION BY platform, metric, unit, value, as_of, precision
      -- A row that names no source comes last.
      ORDER BY source_url = '' AND source_title = '', published_order, source_url, source_title, definition
    ) AS source_number,
    -- The wording that counts is that of the source of best standing.
    row_number() OVER (
      PARTITION BY platform, metric, unit, value, as_of, precision
      ORDER BY standing, firmness, published_order, source_url, source_title, definition
    ) AS wording_number
  FROM read
),
merged AS (
  SELECT
    platform, metric, measure, value, unit, as_of, precision, period,
    max(CASE WHEN wording_number = 1 THEN status END) AS status,
    max(CASE WHEN wording_number = 1 THEN qualifier END) AS qualifier,
    max(CASE WHEN wording_number = 1 THEN firmness END) AS firmness,
    max(CASE WHEN wording_number = 1 THEN definition END) AS definition,
    max(CASE WHEN source_number = 1 THEN published END) AS published,
    max(CASE WHEN source_number = 1 THEN published_order END) AS published_order,
    max(CASE WHEN source_number = 1 THEN source_title END) AS source_title,
    max(CASE WHEN source_number = 1 THEN source_url END) AS first_url,
    string_agg(DISTINCT source_url, ' ' ORDER BY source_url) AS urls,
    count(DISTINCT CASE WHEN source_url <> '' OR source_title <> '' THEN source_url END) AS sources
  FROM ordered
  GROUP BY platform, metric, measure, value, unit, as_of, precision, period
),
settled_by_hand AS (
  SELECT platform, metric, as_of, value, bool_and(computes) AS computes
  FROM disputes
  GROUP BY platform, metric, as_of, value
),
judged AS (
  SELECT
    s.*, h.computes AS by_hand,
    coalesce(h.computes, s.status IN ('stated', 'derived')) AS eligible
  FROM merged s
  LEFT JOIN settled_by_hand h
    ON h.platform = s.platform AND h.metric = s.metric AND h.as_of = s.as_of AND h.value = s.value
),
-- Of the eligible statements of one series on one day, the best stands for the day.
best_of_day AS (
  SELECT
    *,
    CASE WHEN eligible THEN row_number() OVER (
      PARTITION BY platform, metric, unit, as_of, eligible
      ORDER BY by_hand DESC NULLS LAST, period, firmness, published_order, value DESC, first_url, precision
    ) = 1 ELSE false END AS candidate
  FROM judged
),
candidates AS (
  SELECT
    platform, metric, unit, as_of, value,
    qualifier = 'about' AND precision <> 'quarter' AND by_hand IS NULL AS loose
  FROM best_of_day
  WHERE candidate
),
-- An `about` statement repeats an earlier one, at most a year older, if it lies within 5 % of a firm one
-- or gives the very value of another `about`. Two different `about` figures are two figures: a service
-- that rounds every quarter still grows between them.
repetitions AS (
  SELECT
    l.platform, l.metric, l.unit, l.as_of,
    max(e.as_of) AS repeats_as_of,
    last_value(e.value ORDER BY e.as_of) AS repeats_value
  FROM candidates l
  JOIN candidates e
    ON e.platform = l.platform AND e.metric = l.metric AND e.unit = l.unit
    AND e.as_of < l.as_of AND e.as_of >= l.as_of - INTERVAL '1 year'
    AND (e.value = l.value OR NOT e.loose AND abs(CAST(l.value AS DOUBLE) - e.value) <= 0.05 * e.value)
  WHERE l.loose
  GROUP BY l.platform, l.metric, l.unit, l.as_of
),
decided AS (
  SELECT
    s.*, r.repeats_as_of, r.repeats_value,
    s.candidate AND r.repeats_as_of IS NULL AS computes
  FROM best_of_day s
  LEFT JOIN repetitions r
    ON r.platform = s.platform AND r.metric = s.metric AND r.unit = s.unit AND r.as_of = s.as_of AND s.candidate
),
-- What computes instead of a statement that does not: the last one of its series at or before its day.
beside AS (
  SELECT
    *,
    last_value(CASE WHEN computes THEN value END) IGNORE NULLS OVER (
      PARTITION BY platform, metric, unit ORDER BY as_of, computes DESC
    ) AS computing_value,
    last_value(CASE WHEN computes THEN as_of END) IGNORE NULLS OVER (
      PARTITION BY platform, metric, unit ORDER BY as_of, computes DESC
    ) AS computing_as_of
  FROM decided
),
-- 62000000 as a reader sees it: 62 M, three digits at least.
worded AS (
  SELECT
    *,
    coalesce(repeats_value, computing_value) AS instead,
    to_char(coalesce(repeats_as_of, computing_as_of), '%-d %B %Y') AS instead_day,
    CASE
      WHEN abs(coalesce(repeats_value, computing_value)) >= 1000000000 THEN 1000000000.0
      WHEN abs(coalesce(repeats_value, computing_value)) >= 1000000 THEN 1000000.0
      WHEN abs(coalesce(repeats_value, computing_value)) >= 1000 THEN 1000.0
      ELSE 1.0
    END AS scale
  FROM beside
),
named AS (
  SELECT
    *,
    concat(
      regexp_replace(CAST(round(instead / scale, CASE WHEN instead / scale >= 100 THEN 1 ELSE 2 END) AS VARCHAR), '\.0$', ''),
      CASE scale WHEN 1000000000.0 THEN concat(chr(8239), 'bn') WHEN 1000000.0 THEN concat(chr(8239), 'M') WHEN 1000.0 THEN concat(chr(8239), 'k') ELSE '' END,
      ' of ', instead_day
    ) AS instead_words
  FROM worded
)
SELECT
  platform, metric, measure, value, unit, as_of, precision, status, qualifier, definition,
  published, source_title, first_url AS source_url,
  -- The first source stands alone; the others follow, each once.
  trim(replace(concat(' ', urls, ' '), concat(' ', first_url, ' '), ' ')) AS more_urls,
  sources,
  computes,
  concat(CASE
    WHEN by_hand AND computes THEN 'settled by hand: it computes'
    WHEN NOT by_hand THEN 'settled by hand: shown only'
    WHEN computes AND status = 'derived' THEN 'computes: arithmetic on stated figures'
    WHEN computes THEN 'computes: stated by the platform'
    WHEN repeats_as_of IS NOT NULL THEN concat('shown only: repeats the ', instead_words)
    WHEN eligible THEN concat('shown only: the ', instead_words, ' is the better statement for that day')
    ELSE concat(
      'shown only: ',
      CASE status
        WHEN 'disputed' THEN 'disputed'
        WHEN 'compiled' THEN 'compiled by others'
        WHEN 'estimate' THEN 'a third party''s estimate'
        WHEN 'record' THEN 'a record day or another way of counting'
        WHEN 'regional' THEN 'counts a part of the users'
        WHEN 'spike' THEN 'a one-off spike'
        ELSE status
      END,
      CASE WHEN instead IS NULL THEN '' ELSE concat('; the ', instead_words, ' computes') END
    )
  END, CASE WHEN first_url = '' AND source_title = '' THEN '; no source is given' ELSE '' END) AS resolution
FROM named
