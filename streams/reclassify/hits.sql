-- Every stored hit of a delivery as it is judged now, with what the rules saw of it, and the deliveries (mailbox took the
-- message) of messages that have hits. By message. Place: of the event itself, not of its last re-label.
SELECT
    lower(hex(event_id)) AS id, toString(kind) AS kind_name, toUnixTimestamp64Milli(event_time) AS time_ms,
    toUnixTimestamp64Milli(log_time) AS log_ms, message_id, account, site, order_id,
    if(visitor = 0, '', leftPad(lower(hex(visitor)), 32, '0')) AS visitor_id, user_agent, address, network, hints, provider_hints,
    link_flags, toString(how) AS how_name, url_id, client_id, toString(class) AS class_name, repeat, reasons,
    (seed = 0 AND bitAnd(marks, 14) = 0) AS counts, bitTest(marks, 1) AS flood,
    if(empty(history), src_topic, tupleElement(history[1], 'src_topic')) AS topic,
    if(empty(history), src_offset, tupleElement(history[1], 'src_offset')) AS first_offset,
    if(empty(history), src_index, tupleElement(history[1], 'src_index')) AS first_index,
    arrayMap(past -> tupleElement(past, 'reasons'), history) AS past_reasons
FROM events FINAL
WHERE delivery_id = {delivery:UInt64} AND sign = 1 AND (kind <= 'transaction' OR (kind = 'delivered' AND message_id IN (
    SELECT message_id FROM events WHERE delivery_id = {delivery:UInt64} AND kind <= 'transaction')))
ORDER BY message_id
SETTINGS max_bytes_before_external_sort = 268435456, max_block_size = 8192
