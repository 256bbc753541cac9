--- The servers of a network whose own activity covers a day, one a row. Activity that is of no server covers the network.
--! needs: activity
--! needs: network
SELECT DISTINCT s.platform, s.server, unnest(generate_series(s.first_day, s.last_day, INTERVAL '1 day')) AS day
FROM (
  SELECT DISTINCT a.platform, a.server, l.first_day, l.last_day
  FROM (SELECT DISTINCT platform, server, load FROM activity WHERE event = 'active' AND server <> '') AS a
  JOIN loads l ON l.load = a.load
  JOIN networks n ON n.platform = a.platform
  WHERE l.first_day IS NOT NULL AND l.last_day IS NOT NULL
) AS s
