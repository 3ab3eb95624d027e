-- suppressing: the next events after which a recipient must not be written to, in order of where they came from.
--   topics …   parallel arrays, one entry per partition: look from (from_offset, from_index) up to horizon
--   least      the smallest from_offset
-- A re-label moves a row to its own place and keeps the first one in `history`: that one counts. A row's own place is
-- never before it, so `least` may be asked of the row's own, which has an index.
SELECT
    at.1 AS topic, src_partition AS partition, at.2 AS offset, at.3 AS number,
    lower(hex(event_id)) AS id, toString(kind) AS kind, toString(how) AS how, toString(reason) AS reason,
    toUnixTimestamp64Milli(event_time) AS time_ms, delivery_id, message_id, recipient_key, toString(account) AS account,
    toString(delivery_name) AS delivery_name, message_name, recipient_name, seed,
    if(empty(history), (toString(src_topic), src_offset, src_index),
       (history[1].src_topic, history[1].src_offset, history[1].src_index)) AS at
FROM events
INNER JOIN
(
    SELECT topic AS lane_topic, partition AS lane_partition, from_offset, from_index, horizon
    FROM (SELECT
        {topics:Array(String)} AS topic, {partitions:Array(UInt16)} AS partition,
        {from_offsets:Array(UInt64)} AS from_offset, {from_indexes:Array(UInt32)} AS from_index,
        {horizons:Array(UInt64)} AS horizon)
    ARRAY JOIN topic, partition, from_offset, from_index, horizon
) AS lanes ON lane_topic = at.1 AND lane_partition = src_partition
WHERE sign = 1 AND src_offset >= {least:UInt64}
    AND (kind = 'optout' AND how IN ('form', 'one_click')
        OR kind = 'bounced' AND reason IN ('unknown_user', 'invalid_domain')
        OR kind IN ('complained', 'unsubscribed'))
    AND (at.2, at.3) >= (from_offset, from_index) AND at.2 <= horizon
ORDER BY topic, partition, offset, number
LIMIT 1 BY delivery_id, event_id
LIMIT {limit:UInt32}
