-- growth: opens, clicks and transactions in each step since the start. One row per kind and step that has any.
-- starts: of `deliveries`, in that order, UTC milliseconds. Hits before the start count at 0.
-- period_s: seconds since the start, a hit at that very moment included; 0 = no end. step_s: seconds.
--   kind           open, click or transaction
--   step           0 = at the start; k = later than (k - 1) steps, up to k steps after it
--   hits           hits in the cut (people = 1: human or unknown; 0: machines too)
SELECT toString(kind) AS kind, intDiv(elapsed_ms + {step_s:Int64} * 1000 - 1, {step_s:Int64} * 1000) AS step, sum(sign) AS hits
FROM
(
    SELECT kind, toInt64(sign) AS sign,
        greatest(0, toUnixTimestamp64Milli(event_time)
            - transform(delivery_id, {deliveries:Array(UInt64)}, {starts:Array(Int64)}, toInt64(0))) AS elapsed_ms
    FROM events
    WHERE delivery_id IN {deliveries:Array(UInt64)} AND hit = 1 AND kind IN ('open', 'click', 'transaction')
        AND ({people:UInt8} = 0 OR class != 'machine')
)
WHERE {period_s:Int64} = 0 OR elapsed_ms <= {period_s:Int64} * 1000
GROUP BY kind, step
HAVING hits != 0
ORDER BY kind, step
