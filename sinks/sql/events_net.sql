-- What is left of some events by revision: +1 and -1 of one revision cancel each other, merged or not.
SELECT event_id, rev, sum(sign)
FROM events
WHERE delivery_id IN {deliveries:Array(UInt64)}
    AND event_id IN arrayMap(id -> toFixedString(unhex(id), 16), {ids:Array(String)})
GROUP BY event_id, rev
