-- hot_clicks: clicks, opt-out pages seen and mirror hits by place in the message. One row per position and link.
--   position       1-32767 in HTML, 32768 + n in text, 0 = none (a List-Unsubscribe header, or a link of another origin)
--   url_id         of the link;  registered: 0 where the registry does not know it
--   label, url     of the link, '' where the deliveries differ or it is unregistered
--   clicks, opt_outs, mirror   hits in the cut (people = 1: human or unknown; 0: machines too); hits: their sum
-- An opt-out counts where its link is followed; what is confirmed on the page is no click on a place.
SELECT
    c.position AS position, c.url_id AS url_id,
    u.updated > toDateTime64(0, 3, 'UTC') AS registered,
    if(uniqExact(u.label) = 1, any(u.label), '') AS label,
    if(uniqExact(u.url) = 1, any(u.url), '') AS url,
    sumIf(c.n, c.kind = 'click') AS clicks, sumIf(c.n, c.kind = 'optout') AS opt_outs, sumIf(c.n, c.kind = 'mirror') AS mirror,
    sum(c.n) AS hits
FROM
(
    SELECT a.delivery_id AS delivery_id, a.kind AS kind, a.url_id AS url_id, a.position AS position, sum(a.n) AS n
    FROM url_activity AS a
    WHERE a.delivery_id IN {deliveries:Array(UInt64)} AND (a.kind IN ('click', 'mirror') OR (a.kind = 'optout' AND a.how = 'view'))
        AND ({people:UInt8} = 0 OR a.class != 'machine')
    GROUP BY delivery_id, kind, url_id, position
) AS c
LEFT JOIN (SELECT * FROM delivery_urls FINAL WHERE delivery_id IN {deliveries:Array(UInt64)}) AS u
    ON u.delivery_id = c.delivery_id AND u.url_id = c.url_id
GROUP BY position, url_id, registered
HAVING hits != 0
ORDER BY hits DESC, position, url_id
