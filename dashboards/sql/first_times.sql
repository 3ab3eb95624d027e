-- first_times: how long until messages had their first open and first click. One row per kind (open, click).
-- starts: of `deliveries`, in that order, UTC milliseconds. Hits before the start count at 0.
--   median_ms      of the milliseconds from the start to each message's first; of an even number the lower middle one
-- A first can't be taken back, so rows that a re-label cancels are left out before it is looked for.
SELECT kind, quantileExactLow(0.5)(elapsed_ms) AS median_ms
FROM
(
    SELECT delivery_id, message_id, toString(kind) AS kind,
        greatest(toUnixTimestamp64Milli(min(event_time))
            - transform(delivery_id, {deliveries:Array(UInt64)}, {starts:Array(Int64)}, toInt64(0)), 0) AS elapsed_ms
    FROM events
    WHERE delivery_id IN {deliveries:Array(UInt64)} AND hit = 1 AND kind IN ('open', 'click') AND sign = 1
        AND ({people:UInt8} = 0 OR class != 'machine')
        AND (event_id, rev) NOT IN
        (
            SELECT event_id, rev FROM events
            WHERE delivery_id IN {deliveries:Array(UInt64)} AND sign = -1 AND hit = 1 AND kind IN ('open', 'click')
        )
    GROUP BY delivery_id, message_id, kind
)
GROUP BY kind
