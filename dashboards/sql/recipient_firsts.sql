-- recipient_firsts: what recipients did with each message, latest first, a thousand at most. One row per message.
-- wanted: delivery keys, empty = any. everybody = 0: only deliveries registered for `accounts`. Times UTC, NULL = none.
-- people = 1: human or unknown; 0: machines too. Hits are counted ones.
--   delivery, message: keys;  delivery_name, delivery_label: from the registry;  state: as in message_state, 0 = none
--   first_open, first_click, last_hit;  opens, clicks
WITH
    seen AS (SELECT delivery_id FROM deliveries FINAL WHERE account IN {accounts:Array(String)}),
    fed AS
    (
        SELECT delivery_id, message_id, bitAnd(bitShiftRight(max(last), 4), 15) AS fed_state,
            toInt64(bitAnd(bitShiftRight(max(last), 8), 281474976710655)) AS told_ms
        FROM message_state
        WHERE recipient_key IN {recipients:Array(UInt64)}
            AND (empty({wanted:Array(UInt64)}) OR delivery_id IN {wanted:Array(UInt64)})
            AND ({everybody:UInt8} = 1 OR delivery_id IN seen)
        GROUP BY delivery_id, message_id
    )
SELECT m.delivery_id AS delivery, m.message_id AS message, d.name AS delivery_name, d.label AS delivery_label,
    max(m.fed_state) AS state,
    minOrNullIf(m.at, m.kind = 'open') AS first_open, minOrNullIf(m.at, m.kind = 'click') AS first_click,
    maxOrNullIf(m.at, m.kind != '') AS last_hit, countIf(m.kind = 'open') AS opens, countIf(m.kind = 'click') AS clicks
FROM
(
    SELECT delivery_id, message_id, fed_state, '' AS kind, fromUnixTimestamp64Milli(told_ms, 'UTC') AS at FROM fed
    UNION ALL
    SELECT delivery_id, message_id, 0, toString(kind), event_time
    FROM events
    WHERE hit = 1 AND ({people:UInt8} = 0 OR class != 'machine')
        AND (empty({wanted:Array(UInt64)}) OR delivery_id IN {wanted:Array(UInt64)})
        AND ({everybody:UInt8} = 1 OR delivery_id IN seen)
        AND (delivery_id, event_id) IN
        (
            SELECT delivery_id, event_id FROM recipient_activity WHERE recipient_key IN {recipients:Array(UInt64)}
            UNION ALL
            SELECT delivery_id, event_id FROM events
            WHERE isNull(recipient_key) AND toInt8(kind) < 10
                AND message_id IN (SELECT message_id FROM fed) AND (delivery_id, message_id) IN (SELECT delivery_id, message_id FROM fed)
        )
    GROUP BY delivery_id, message_id, event_id, kind, event_time
    HAVING sum(sign) > 0
) AS m
LEFT JOIN (SELECT delivery_id, name, label FROM deliveries FINAL) AS d ON d.delivery_id = m.delivery_id
GROUP BY delivery, message, delivery_name, delivery_label
ORDER BY max(m.at) DESC, delivery, message
LIMIT 1000
