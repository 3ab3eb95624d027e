-- starts: when deliveries began. One row per delivery that has events. Times UTC.
--   first_sent     first `sent` of the feed, NULL if none
--   first_hit      first hit, of people or machines, NULL if none
-- The minute comes from stat_minute, the moment from events of that minute.
WITH firsts AS
(
    SELECT delivery_id, is_sent, min(minute) AS minute
    FROM
    (
        SELECT delivery_id, kind = 'sent' AS is_sent, minute
        FROM stat_minute
        WHERE delivery_id IN {deliveries:Array(UInt64)} AND kind <= 'sent' AND kind != 'prepared'
        GROUP BY delivery_id, is_sent, minute
        HAVING sum(n) > 0
    )
    GROUP BY delivery_id, is_sent
)
SELECT delivery_id AS delivery, minOrNullIf(event_time, is_sent) AS first_sent, minOrNullIf(event_time, NOT is_sent) AS first_hit
FROM
(
    SELECT delivery_id, kind = 'sent' AS is_sent, event_time
    FROM events
    WHERE delivery_id IN {deliveries:Array(UInt64)} AND (hit = 1 OR (kind = 'sent' AND seed = 0))
        AND (delivery_id, kind = 'sent', toStartOfMinute(toDateTime(event_time, 'UTC'))) IN (SELECT delivery_id, is_sent, minute FROM firsts)
    GROUP BY delivery_id, is_sent, event_time
    HAVING sum(sign) > 0
)
GROUP BY delivery_id
