-- odd_hits: what came back from deliveries and is no plain hit. One row per delivery that has any.
--   unknown_links  click, opt-out and mirror hits on links that the registry does not have
--                  (people = 1: human or unknown; 0: machines too)
--   flood, foreign, expired    stored events that count as no hit for that mark, of everybody
SELECT delivery, sum(strange) AS unknown_links,
    sum(flooded) AS flood, sum(elsewhere) AS foreign, sum(late) AS expired
FROM
(
    SELECT delivery_id AS delivery, sum(hits) AS strange,
        toInt64(0) AS flooded, toInt64(0) AS elsewhere, toInt64(0) AS late
    FROM
    (
        SELECT a.delivery_id AS delivery_id, a.url_id AS url_id, sum(a.n) AS hits
        FROM url_activity AS a
        WHERE a.delivery_id IN {deliveries:Array(UInt64)} AND a.kind IN ('click', 'optout', 'mirror') AND a.url_id != 0
            AND ({people:UInt8} = 0 OR a.class != 'machine')
            AND (a.delivery_id, a.url_id) NOT IN
                (SELECT delivery_id, url_id FROM delivery_urls WHERE delivery_id IN {deliveries:Array(UInt64)})
        GROUP BY delivery_id, url_id
        HAVING hits != 0
    )
    GROUP BY delivery
    UNION ALL
    SELECT delivery_id, 0, sumIf(sign, bitTest(marks, 1)), sumIf(sign, bitTest(marks, 2)), sumIf(sign, bitTest(marks, 3))
    FROM events
    WHERE delivery_id IN {deliveries:Array(UInt64)} AND marks > 1 AND toInt8(kind) < 10
    GROUP BY delivery_id
)
GROUP BY delivery
HAVING unknown_links != 0 OR flood != 0 OR foreign != 0 OR expired != 0
