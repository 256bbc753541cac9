--- Who was active on a day: one set of users a platform, day, bucket and value of a dimension, over servers
--- and loads. Read this where days are compared with each other (how many days was a user active, windows
--- that end on each day). What only unites days (months, quarters) groups `activity` itself: a union of unions
--- is the same set, and each bitmap is read once.
SELECT platform, day, bucket, dimension, dimension_value, bitmap_union(users) AS users
FROM activity
WHERE event = 'active'
GROUP BY platform, day, bucket, dimension, dimension_value
