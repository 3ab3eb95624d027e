-- Deliveries that have or had rows of events, loaded since a moment (UTC milliseconds), with how many rows there are now.
SELECT delivery_id, sum(n) AS rows
FROM
(
    SELECT delivery_id, 0 AS n FROM touched GROUP BY delivery_id
    HAVING toUnixTimestamp64Milli(max(at)) >= {since_ms:Int64}
    UNION ALL
    SELECT delivery_id, count() FROM events
    WHERE {since_ms:Int64} = 0
        OR delivery_id IN
        (SELECT delivery_id FROM touched GROUP BY delivery_id HAVING toUnixTimestamp64Milli(max(at)) >= {since_ms:Int64})
    GROUP BY delivery_id
)
GROUP BY delivery_id
ORDER BY rows, delivery_id
