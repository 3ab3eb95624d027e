-- links_over_time: clicks in the cut by link, the ten most clicked apart. One row per interval and label (else URL).
WITH top AS
(
    SELECT u.item AS item FROM ({sql:urls}) AS u WHERE u.registered = 1 ORDER BY u.clicks DESC, item LIMIT 10
)
SELECT $__timeInterval(s.minute) AS time,
    if(name IN (SELECT item FROM top), name, 'others') AS link,
    sum(s.n) AS clicks
FROM
(
    SELECT s.minute AS minute, s.n AS n, if(u.label != '', u.label, u.url) AS name
    FROM stat_minute AS s
    LEFT JOIN (SELECT * FROM delivery_urls FINAL) AS u ON u.delivery_id = s.delivery_id AND u.url_id = s.url_id
    WHERE s.delivery_id IN {deliveries:Array(UInt64)} AND s.kind = 'click' AND $__timeFilter(s.minute)
        AND ({people:UInt8} = 0 OR s.class != 'machine')
) AS s
GROUP BY time, link
HAVING clicks != 0
ORDER BY time, link
