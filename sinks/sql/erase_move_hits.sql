-- A recipient's hits under the pseudonym; the rows under the key are deleted next.
INSERT INTO recipient_activity (recipient_key, event_time, delivery_id, event_id, kind, message_id)
SELECT {pseudonym:UInt64}, event_time, delivery_id, event_id, kind, message_id
FROM recipient_activity WHERE recipient_key = {recipient:UInt64}
