-- signals: when the feed and the hits of deliveries came. One row per delivery that has events. Times UTC, to the minute.
--   first_feed, last_feed     of any feed event but those of seeds, NULL if none
--   first_hit, last_hit       of hits in the cut (people = 1: human or unknown; 0: machines too), NULL if none
--   hits_before    hits before the minute of the first feed event; without any feed event all of them
--   stored_at      when rows of the delivery were last stored
SELECT e.delivery AS delivery, e.first_feed AS first_feed, e.last_feed AS last_feed, e.first_hit AS first_hit,
    e.last_hit AS last_hit, e.hits_before AS hits_before, t.at AS stored_at
FROM
(
    SELECT delivery_id AS delivery,
        minOrNullIf(minute, feed) AS first_feed, maxOrNullIf(minute, feed) AS last_feed,
        minOrNullIf(minute, NOT feed) AS first_hit, maxOrNullIf(minute, NOT feed) AS last_hit,
        sumIf(n, NOT feed AND (isNull(begun) OR minute < begun)) AS hits_before
    FROM
    (
        SELECT delivery_id, feed, minute, n, min(if(feed, minute, NULL)) OVER (PARTITION BY delivery_id) AS begun
        FROM
        (
            SELECT delivery_id, kind >= 'prepared' AS feed, minute, sum(n) AS n
            FROM stat_minute
            WHERE delivery_id IN {deliveries:Array(UInt64)}
                AND (kind >= 'prepared' OR {people:UInt8} = 0 OR class != 'machine')
            GROUP BY delivery_id, feed, minute
            HAVING n > 0
        )
    )
    GROUP BY delivery_id
) AS e
INNER JOIN
(
    SELECT delivery_id, max(at) AS at FROM touched WHERE delivery_id IN {deliveries:Array(UInt64)} GROUP BY delivery_id
) AS t ON t.delivery_id = e.delivery
