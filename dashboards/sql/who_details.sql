-- who_details: what a list shows of messages beside their counts. One row per message. Times UTC, NULL = none.
-- messages: keys, empty = any; from, upto: their range.
--   recipient      key, NULL = not known;  name: of the recipient, as the sender calls it;  message_name;  domain
--   first_open, first_click, last_hit   in the cut (people = 1: human or unknown; 0: machines too)
SELECT delivery_id AS delivery, message_id AS message,
    max(recipient) AS recipient, max(named) AS name, max(message_named) AS message_name, lower(max(mail_domain)) AS domain,
    minOrNullIf(at, kind = 'open') AS first_open, minOrNullIf(at, kind = 'click') AS first_click,
    maxOrNullIf(at, kind != '') AS last_hit
FROM
(
    SELECT delivery_id, message_id, recipient_key AS recipient, recipient_name AS named, message_name AS message_named,
        toString(domain) AS mail_domain, '' AS kind, toDateTime64(0, 3, 'UTC') AS at
    FROM message_state
    WHERE delivery_id IN {deliveries:Array(UInt64)} AND message_id BETWEEN {from:UInt64} AND {upto:UInt64}
        AND (empty({messages:Array(UInt64)}) OR message_id IN {messages:Array(UInt64)})
    UNION ALL
    SELECT delivery_id, message_id, recipient_key, '', '', '', '', toDateTime64(0, 3, 'UTC')
    FROM message_activity
    WHERE delivery_id IN {deliveries:Array(UInt64)} AND message_id BETWEEN {from:UInt64} AND {upto:UInt64}
        AND (empty({messages:Array(UInt64)}) OR message_id IN {messages:Array(UInt64)})
    UNION ALL
    SELECT delivery_id, message_id, NULL, '', '', '', toString(kind), event_time
    FROM events
    WHERE hit = 1 AND ({people:UInt8} = 0 OR class != 'machine')
        AND delivery_id IN {deliveries:Array(UInt64)} AND message_id BETWEEN {from:UInt64} AND {upto:UInt64}
        AND (empty({messages:Array(UInt64)}) OR message_id IN {messages:Array(UInt64)})
    GROUP BY delivery_id, message_id, event_id, kind, event_time
    HAVING sum(sign) > 0
)
GROUP BY delivery, message
