-- feed_over_time: what the feed says of the chosen deliveries. One row per interval and kind; messages that are no seeds.
SELECT $__timeInterval(s.minute) AS time, toString(s.kind) AS kind, sum(s.n) AS events
FROM stat_minute AS s
WHERE s.delivery_id IN {deliveries:Array(UInt64)} AND s.kind > 'prepared' AND $__timeFilter(s.minute)
GROUP BY time, kind
ORDER BY time, kind
