-- recipient_known: whether a recipient was ever met, and under which name. One row.
--   messages       messages the feed has for it
--   name           as the sender calls it, '' = not told
--   hits_people, hits_all   counted hits of each cut over all deliveries still stored
--   stored         all events of it, those that don't count as a hit too
--   asked_at       time of this answer, UTC
SELECT
    (SELECT uniqExact(delivery_id, message_id) FROM message_state WHERE recipient_key = {recipient:UInt64}) AS messages,
    (SELECT max(recipient_name) FROM message_state WHERE recipient_key = {recipient:UInt64}) AS name,
    sumIf(sign, hit = 1 AND class != 'machine') AS hits_people,
    sumIf(sign, hit = 1) AS hits_all,
    sum(toInt64(sign)) AS stored,
    now64(3, 'UTC') AS asked_at
FROM
(
    SELECT sign, hit, class FROM events
    WHERE (delivery_id, event_id) IN (SELECT delivery_id, event_id FROM recipient_activity WHERE recipient_key = {recipient:UInt64})
    UNION ALL
    SELECT sign, hit, class FROM events
    WHERE isNull(recipient_key) AND toInt8(kind) < 10
        AND delivery_id IN (SELECT delivery_id FROM message_state WHERE recipient_key = {recipient:UInt64})
        AND (delivery_id, message_id) IN (SELECT delivery_id, message_id FROM message_state WHERE recipient_key = {recipient:UInt64})
)
