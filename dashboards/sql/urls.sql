-- urls: click hits by link, most first. One row per item; links that are not registered are one row together.
-- by: what tells items apart: label (the URL where a link has none), url, category or position.
--   item           label, URL, category ('' = none) or position (1-32767 in HTML, 32768 + n in text, 0 = none)
--   label, url, category   of the item, '' where its links differ or it is unregistered
--   registered     0 for the row of unregistered links
--   clicks         click hits in the cut (people = 1: human or unknown; 0: machines too)
SELECT
    multiIf({by:String} = 'position', toString(c.position),
            registered = 0, '',
            {by:String} = 'category', u.category,
            {by:String} = 'url' OR u.label = '', u.url,
            u.label) AS item,
    if({by:String} = 'position', 1, u.updated > toDateTime64(0, 3, 'UTC')) AS registered,
    if(uniqExact(u.label) = 1, any(u.label), '') AS label,
    if(uniqExact(u.url) = 1, any(u.url), '') AS url,
    if(uniqExact(u.category) = 1, toString(any(u.category)), '') AS category,
    sum(c.n) AS clicks
FROM
(
    SELECT a.delivery_id AS delivery_id, a.url_id AS url_id, if({by:String} = 'position', a.position, 0) AS position, sum(a.n) AS n
    FROM url_activity AS a
    WHERE a.delivery_id IN {deliveries:Array(UInt64)} AND a.kind = 'click' AND ({people:UInt8} = 0 OR a.class != 'machine')
    GROUP BY delivery_id, url_id, position
) AS c
LEFT JOIN (SELECT * FROM delivery_urls FINAL WHERE delivery_id IN {deliveries:Array(UInt64)}) AS u
    ON u.delivery_id = c.delivery_id AND u.url_id = c.url_id
GROUP BY item, registered
HAVING clicks != 0
ORDER BY clicks DESC, item
