-- machine_bursts: the minutes with most machine hits in one delivery. One row per delivery and minute.
SELECT b.minute AS minute, toString(b.delivery_id) AS key, if(d.label != '', d.label, key) AS delivery, b.hits AS machine_hits
FROM
(
    SELECT s.delivery_id AS delivery_id, s.minute AS minute, sum(s.n) AS hits
    FROM stat_minute AS s
    WHERE s.delivery_id IN {deliveries:Array(UInt64)} AND s.kind <= 'transaction' AND s.class = 'machine' AND $__timeFilter(s.minute)
    GROUP BY delivery_id, minute
    HAVING hits > 0
    ORDER BY hits DESC, minute
    LIMIT {limit:UInt64}
) AS b
LEFT JOIN (SELECT delivery_id, label FROM deliveries FINAL) AS d ON d.delivery_id = b.delivery_id
ORDER BY machine_hits DESC, minute
