-- What a table has about a recipient. Filled in by personal.py with names from the server's own catalogue.
WITH own AS
(
    SELECT delivery_id, message_id FROM message_state WHERE recipient_key = {recipient:UInt64}
    UNION DISTINCT
    SELECT delivery_id, message_id FROM recipient_activity WHERE recipient_key = {recipient:UInt64}
    UNION DISTINCT
    SELECT delivery_id, message_id FROM message_activity WHERE recipient_key = {recipient:UInt64}
)
SELECT $columns FROM $table FINAL WHERE $condition ORDER BY ALL
