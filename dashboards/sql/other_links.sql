-- other_links: opt-out and mirror hits by link, which no count of clicks holds. One row per kind, how and link.
--   kind           optout or mirror
--   how            of an opt-out: view (page shown), form or one_click (confirmed); else ''
--   label, url     of the link, '' where it is not registered
--   n              hits in the cut
SELECT toString(c.kind) AS kind, toString(c.how) AS how, u.label AS label, u.url AS url, sum(c.n) AS n
FROM
(
    SELECT a.delivery_id AS delivery_id, a.kind AS kind, a.how AS how, a.url_id AS url_id, sum(a.n) AS n
    FROM url_activity AS a
    WHERE a.delivery_id IN {deliveries:Array(UInt64)} AND a.kind IN ('optout', 'mirror')
        AND ({people:UInt8} = 0 OR a.class != 'machine')
    GROUP BY delivery_id, kind, how, url_id
) AS c
LEFT JOIN (SELECT * FROM delivery_urls FINAL WHERE delivery_id IN {deliveries:Array(UInt64)}) AS u
    ON u.delivery_id = c.delivery_id AND u.url_id = c.url_id
GROUP BY kind, how, label, url
HAVING n != 0
ORDER BY kind, how, n DESC, label, url
