--- One flagged day of one series a row: what was found, how large it was, and why it is left out.
--- `metric` names the flow that the day is left out of: falls and jumps of registered users are those of
--- `net_adds`.
WITH flagged AS (
  SELECT
    platform, server, dimension, dimension_value, day, previous_day, previous_value, value, readings,
    largest_step, largest_around,
    CASE WHEN metric = 'registered_users' THEN 'net_adds' ELSE metric END AS metric,
    CASE WHEN difference_flag <> '' THEN difference_flag ELSE 'unfinished' END AS flag,
    value - previous_value AS change,
    day - previous_day AS days_apart,
    -- 989838 as a reader sees it: 989 838.
    ltrim(reverse(regexp_replace(reverse(CAST(abs(value - previous_value) AS VARCHAR)), '([0-9]{3})', concat('${1}', chr(8239)), 'g')), chr(8239)) AS size,
    to_char(day, '%-d %B %Y') AS on_day,
    CASE metric WHEN 'registered_users' THEN 'registered users' WHEN 'messages_sent' THEN 'messages' ELSE metric END AS what
  FROM changes
  WHERE difference_flag <> '' OR unfinished AND (kind = 'counter' OR metric = 'registered_users')
)
SELECT
  platform, server, metric, dimension, dimension_value, day, flag, change,
  CASE flag
    WHEN 'jump' THEN concat(
      'The count of ', what, ' rose by ', size, ' on ', on_day, ', ',
      CASE
        WHEN largest_around = 0 THEN 'with no growth in the week before and the week after'
        ELSE concat(ltrim(reverse(regexp_replace(reverse(CAST(CAST(round(change / CAST(largest_around AS DOUBLE)) AS BIGINT) AS VARCHAR)), '([0-9]{3})', concat('${1}', chr(8239)), 'g')), chr(8239)),
          ' times as much as on any other day of the week before and the week after')
      END,
      CASE
        WHEN readings > 1 THEN concat(', ', CAST(CAST(round(100.0 * largest_step / change) AS BIGINT) AS VARCHAR), ' % of it between two readings')
        ELSE ''
      END,
      ': a change in what was counted, not growth. The day is left out.'
    )
    WHEN 'fell' THEN concat(
      'The count of ', what, ' fell by ', size, ' on ', on_day,
      '. A count since the beginning falls when servers drop out or a count is corrected; the day is left out.'
    )
    WHEN 'gap' THEN concat(
      'No reading of ', what, ' between ', to_char(previous_day, '%-d %B %Y'), ' and ', on_day,
      ': the change over ', ltrim(reverse(regexp_replace(reverse(CAST(days_apart AS VARCHAR)), '([0-9]{3})', concat('${1}', chr(8239)), 'g')), chr(8239)), ' days belongs to no single day.'
    )
    ELSE concat(to_char(day, '%-d %B %Y'), ' is not over: the last reading of ', what, ' is from before 22:00.')
  END AS explanation
FROM flagged
