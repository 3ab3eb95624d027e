-- periods: opens, clicks and transactions within each period since the start. One row per kind that has any and period.
-- starts: of `deliveries`, in that order, UTC milliseconds. Hits before the start count at 0.
--   kind           open, click or transaction
--   period_s       as in `periods`: seconds since the start, a hit at that very moment included; 0 = all
--   hits           hits in the cut (people = 1: human or unknown; 0: machines too)
SELECT kind, period_s, hits
FROM
(
    SELECT toString(kind) AS kind,
        sumForEach(arrayMap(p -> if(p = 0 OR elapsed_ms <= p * 1000, toInt64(sign), 0), {periods:Array(Int64)})) AS within
    FROM
    (
        SELECT kind, sign,
            toUnixTimestamp64Milli(event_time)
                - transform(delivery_id, {deliveries:Array(UInt64)}, {starts:Array(Int64)}, toInt64(0)) AS elapsed_ms
        FROM events
        WHERE delivery_id IN {deliveries:Array(UInt64)} AND hit = 1 AND kind IN ('open', 'click', 'transaction')
            AND ({people:UInt8} = 0 OR class != 'machine')
    )
    GROUP BY kind
)
ARRAY JOIN {periods:Array(Int64)} AS period_s, within AS hits
ORDER BY kind, period_s = 0, period_s
