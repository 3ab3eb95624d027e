-- The messages of a recipient, by key and pseudonym, as feed and hits tell.
SELECT DISTINCT delivery_id, message_id FROM message_state WHERE recipient_key IN {recipients:Array(UInt64)}
UNION DISTINCT
SELECT DISTINCT delivery_id, message_id FROM recipient_activity WHERE recipient_key IN {recipients:Array(UInt64)}
UNION DISTINCT
SELECT DISTINCT delivery_id, message_id FROM message_activity WHERE recipient_key IN {recipients:Array(UInt64)}
