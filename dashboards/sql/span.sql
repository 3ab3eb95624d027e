-- span: how long after the start the last hit came, to the minute. One row.
-- starts: of `deliveries`, in that order, UTC milliseconds. kinds: open, click, transaction …
--   span_ms        milliseconds from the start to the end of the last minute with a hit in the cut; 0 without any
SELECT ifNull(maxOrNull(greatest(0, toInt64(toUnixTimestamp(minute)) * 1000 + 60000
    - transform(delivery_id, {deliveries:Array(UInt64)}, {starts:Array(Int64)}, toInt64(0)))), 0) AS span_ms
FROM
(
    SELECT delivery_id, kind, minute
    FROM stat_minute
    WHERE delivery_id IN {deliveries:Array(UInt64)} AND has({kinds:Array(String)}, toString(kind))
        AND ({people:UInt8} = 0 OR class != 'machine')
    GROUP BY delivery_id, kind, minute
    HAVING sum(n) > 0
)
