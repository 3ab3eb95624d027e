-- optouts: who does not want more messages, whoever said so first. One row per message; of its several the earliest.
-- Seeds and proofs apart; marks, repeats and classes are not looked at: a wish is a wish. Times UTC.
-- deliveries: keys, empty = any. since: UTC milliseconds. how: empty = any of form, one_click (at the edge), fed (by a feed).
--   time, delivery, message, recipient (NULL = not known): keys;  delivery_name, message_name, recipient_name
--   source   edge, api, relay or a provider's adapter
SELECT
    o.event_time AS time, o.delivery_id AS delivery, d.name AS delivery_name, o.message_id AS message,
    if(o.message_name != '', o.message_name, m.message_name) AS message_name,
    ifNull(o.recipient_key, m.recipient_key) AS recipient,
    if(o.recipient_name != '', o.recipient_name, m.recipient_name) AS recipient_name, o.way AS how, o.source AS source
FROM
(
    SELECT event_time, event_id, delivery_id, message_id, message_name, recipient_key, recipient_name,
        if(kind = 'unsubscribed', 'fed', toString(how)) AS way, toString(source) AS source
    FROM events
    WHERE sign = 1 AND seed = 0
        AND (kind = 'optout' AND how IN ('form', 'one_click') OR kind = 'unsubscribed')
        AND (empty({deliveries:Array(UInt64)}) OR delivery_id IN {deliveries:Array(UInt64)})
        AND (empty({how:Array(String)}) OR has({how:Array(String)}, if(kind = 'unsubscribed', 'fed', toString(how))))
    ORDER BY delivery_id, event_id
    LIMIT 1 BY delivery_id, message_id
) AS o
LEFT JOIN
(
    SELECT delivery_id, message_id, max(recipient_key) AS recipient_key, max(recipient_name) AS recipient_name,
        max(message_name) AS message_name
    FROM message_state
    WHERE (delivery_id, message_id) IN
    (
        SELECT delivery_id, message_id FROM events
        WHERE sign = 1 AND (kind = 'optout' AND how IN ('form', 'one_click') OR kind = 'unsubscribed')
            AND (empty({deliveries:Array(UInt64)}) OR delivery_id IN {deliveries:Array(UInt64)})
    )
    GROUP BY delivery_id, message_id
) AS m ON m.delivery_id = o.delivery_id AND m.message_id = o.message_id
LEFT JOIN (SELECT delivery_id, name FROM deliveries FINAL) AS d ON d.delivery_id = o.delivery_id
WHERE o.event_time >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
ORDER BY o.delivery_id, o.event_id
