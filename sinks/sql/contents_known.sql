-- contents_known: which contents are stored. One row per delivery and part of `deliveries`.
--   updated_ms     UTC milliseconds, of the newest
SELECT delivery_id, toString(part) AS part, toUnixTimestamp64Milli(max(updated)) AS updated_ms
FROM delivery_contents
WHERE delivery_id IN {deliveries:Array(UInt64)}
GROUP BY delivery_id, part
