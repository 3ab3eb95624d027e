-- hits_over_time: hits of the chosen deliveries in the cut. One row per interval and kind.
SELECT $__timeInterval(s.minute) AS time, toString(s.kind) AS kind, sum(s.n) AS hits
FROM stat_minute AS s
WHERE s.delivery_id IN {deliveries:Array(UInt64)} AND s.kind <= 'transaction' AND $__timeFilter(s.minute)
    AND ({people:UInt8} = 0 OR s.class != 'machine')
GROUP BY time, kind
HAVING hits != 0
ORDER BY time, kind
