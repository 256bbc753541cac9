--- What loads stated that others have replaced, but for a day that was not over when they were made.
SELECT s.*
FROM ever_stated_usage AS s
JOIN replaced_loads AS r ON r.load = s.load
WHERE r.running IS NULL OR s.day < r.running
