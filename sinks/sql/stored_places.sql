-- Where each of these events was first seen: the oldest entry of `history`, or the row itself where it was never
-- re-labelled. Primary key access.
SELECT
    delivery_id, lower(hex(event_id)) AS id,
    if(empty(history), src_topic, history[1].src_topic) AS topic_id,
    if(empty(history), src_offset, history[1].src_offset) AS offset,
    if(empty(history), src_index, history[1].src_index) AS index
FROM events
WHERE sign = 1 AND delivery_id IN {deliveries:Array(UInt64)} AND (delivery_id, event_id) IN (
    SELECT delivery, toFixedString(unhex(id_text), 16)
    FROM (SELECT {deliveries:Array(UInt64)} AS delivery, {event_ids:Array(String)} AS id_text)
    ARRAY JOIN delivery, id_text
)
ORDER BY delivery_id, event_id, rev
LIMIT 1 BY delivery_id, event_id
