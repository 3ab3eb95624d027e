-- machine_share_over_time: hits by machines / all hits, by kind of hit. One row per interval and kind.
SELECT $__timeInterval(s.minute) AS time, toString(s.kind) AS kind,
    sumIf(s.n, s.class = 'machine') / nullIf(sum(s.n), 0) AS share
FROM stat_minute AS s
WHERE s.delivery_id IN {deliveries:Array(UInt64)} AND s.kind IN ('open', 'click', 'optout') AND $__timeFilter(s.minute)
GROUP BY time, kind
ORDER BY time, kind
