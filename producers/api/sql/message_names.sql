-- message_names: what the feed calls some messages and their recipients. Primary key access.
SELECT delivery_id, message_id, max(message_name) AS message, max(recipient_name) AS recipient, max(recipient_key) AS recipient_key
FROM message_state
WHERE (delivery_id, message_id) IN (
    SELECT delivery, message FROM (SELECT {deliveries:Array(UInt64)} AS delivery, {messages:Array(UInt64)} AS message)
    ARRAY JOIN delivery, message)
GROUP BY delivery_id, message_id
