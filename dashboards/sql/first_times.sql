-- first_times: how long until messages had their first open and first click. One row per kind (open, click).
-- starts: of `deliveries`, in that order, UTC milliseconds. Hits before the start count at 0.
--   messages       messages with such a hit in the cut
--   median_ms      of the milliseconds from the start to each message's first; of an even number the lower middle one
SELECT kind, count() AS messages, quantileExactLow(0.5)(elapsed_ms) AS median_ms
FROM
(
    SELECT delivery_id, message_id, kind,
        greatest(toUnixTimestamp64Milli(min(event_time))
            - transform(delivery_id, {deliveries:Array(UInt64)}, {starts:Array(Int64)}, toInt64(0)), 0) AS elapsed_ms
    FROM
    (
        SELECT delivery_id, message_id, kind, event_time
        FROM events
        WHERE delivery_id IN {deliveries:Array(UInt64)} AND hit = 1 AND kind IN ('open', 'click')
            AND ({people:UInt8} = 0 OR class != 'machine')
        GROUP BY delivery_id, message_id, kind, event_time
        HAVING sum(sign) > 0
    )
    GROUP BY delivery_id, message_id, kind
)
GROUP BY kind
