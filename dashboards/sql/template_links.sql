-- template_links: the links of deliveries with their hits, most clicked first. One row per delivery and link; links
-- that are hit but not in the registry are one row per delivery.
--   url_id         of the link, 0 on the row of unregistered ones;  registered: 1, or 0 on that row
--   url, label, category, mode: of the registry
--   clicks         click hits in the cut (people = 1: human or unknown; 0: machines too)
--   hits           click, opt-out and mirror hits in the cut
SELECT delivery, if(known, link, 0) AS url_id, toUInt8(known) AS registered, any(url) AS url, any(label) AS label,
    any(category) AS category, any(mode) AS mode, sum(clicked) AS clicks, sum(hit) AS hits
FROM
(
    SELECT delivery_id AS delivery, url_id AS link, max(told) AS known, max(u) AS url, max(l) AS label, max(c) AS category,
        max(m) AS mode, sum(clicked) AS clicked, sum(hit) AS hit
    FROM
    (
        SELECT delivery_id, url_id, 1 AS told, url AS u, label AS l, toString(category) AS c, toString(mode) AS m,
            toInt64(0) AS clicked, toInt64(0) AS hit
        FROM delivery_urls FINAL
        WHERE delivery_id IN {deliveries:Array(UInt64)}
        UNION ALL
        SELECT delivery_id, url_id, 0, '', '', '', '', sumIf(n, kind = 'click'), sum(n)
        FROM url_activity
        WHERE delivery_id IN {deliveries:Array(UInt64)} AND kind IN ('click', 'optout', 'mirror')
            AND ({people:UInt8} = 0 OR class != 'machine')
        GROUP BY delivery_id, url_id
    )
    GROUP BY delivery_id, url_id
)
GROUP BY delivery, url_id, known
HAVING known = 1 OR hits != 0
ORDER BY clicks DESC, hits DESC, label, url, delivery, url_id
