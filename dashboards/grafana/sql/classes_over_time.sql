-- classes_over_time: hits of the chosen deliveries by class, whatever the cut. One row per interval and class.
SELECT $__timeInterval(s.minute) AS time, toString(s.class) AS class, sum(s.n) AS hits
FROM stat_minute AS s
WHERE s.delivery_id IN {deliveries:Array(UInt64)} AND s.kind <= 'transaction' AND $__timeFilter(s.minute)
GROUP BY time, class
HAVING hits != 0
ORDER BY time, class
