-- The live row of each of these events, every column as it goes over the wire. Primary key access.
SELECT
    delivery_id, lower(hex(event_id)) AS id, rev, sign, toInt8(kind) AS kind, toUnixTimestamp64Milli(event_time) AS event_time, message_id,
    recipient_key, account, source, hit, toInt8(class) AS class, repeat, reasons, ruleset, run, history, marks, seed,
    link_flags, url_id, position, destination, toInt8(how) AS how, person, visitor, visitor_is_new, user_agent, address,
    referrer, hints, provider_hints, provider_event_id, client, client_version, os, device, network, country, client_id,
    delivery_name, message_name, recipient_name, domain, format, reason, diagnostic, attributes, site, order_id, amount,
    currency, articles, page, src_topic, src_partition, src_offset, src_index, segment_index,
    toUnixTimestamp64Milli(log_time) AS log_time
FROM events
WHERE sign = 1 AND delivery_id IN {deliveries:Array(UInt64)} AND (delivery_id, event_id) IN (
    SELECT delivery, toFixedString(unhex(id_text), 16)
    FROM (SELECT {deliveries:Array(UInt64)} AS delivery, {event_ids:Array(String)} AS id_text)
    ARRAY JOIN delivery, id_text
)
ORDER BY delivery_id, event_id, rev DESC
LIMIT 1 BY delivery_id, event_id
