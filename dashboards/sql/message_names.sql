-- message_names: what the feed calls messages. One row per message of `messages` in `deliveries` that the feed knows.
--   delivery, message, recipient: keys, the last NULL where not told;  recipient_name, domain: '' where not told
SELECT delivery_id AS delivery, message_id AS message, max(s.recipient_key) AS recipient,
    max(s.recipient_name) AS recipient_name, max(s.domain) AS domain
FROM message_state AS s
WHERE delivery_id IN {deliveries:Array(UInt64)} AND message_id IN {messages:Array(UInt64)}
GROUP BY delivery_id, message_id
