-- starts: when deliveries began. One row per delivery that has events. Times UTC.
--   first_sent     first `sent` of the feed, NULL if none
--   first_hit      first hit, of people or machines, NULL if none
SELECT delivery_id AS delivery, minOrNullIf(event_time, kind = 'sent') AS first_sent, minOrNullIf(event_time, kind < 'prepared') AS first_hit
FROM
(
    SELECT delivery_id, kind, event_time
    FROM events
    WHERE delivery_id IN {deliveries:Array(UInt64)} AND (hit = 1 OR (kind = 'sent' AND seed = 0))
    GROUP BY delivery_id, kind, event_time
    HAVING sum(sign) > 0
)
GROUP BY delivery_id
