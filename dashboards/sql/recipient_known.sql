-- recipient_known: whether recipients were ever met, and under which name. One row per recipient asked for.
-- everybody = 0: only deliveries registered for `accounts` are looked at.
--   recipient      key;  name: as the sender calls it, '' = not told
--   messages       messages the feed has for it
--   hits_people, hits_all   counted hits of each cut over all deliveries still stored
--   stored         all events of it, those that don't count as a hit too
--   asked_at       time of this answer, UTC
WITH
    seen AS (SELECT delivery_id FROM deliveries FINAL WHERE account IN {accounts:Array(String)}),
    fed AS
    (
        SELECT delivery_id, message_id, assumeNotNull(recipient_key) AS recipient, recipient_name
        FROM message_state
        WHERE recipient_key IN {recipients:Array(UInt64)} AND ({everybody:UInt8} = 1 OR delivery_id IN seen)
    )
SELECT k.recipient AS recipient, m.name AS name, m.messages AS messages, h.hits_people AS hits_people, h.hits_all AS hits_all,
    h.stored AS stored, now64(3, 'UTC') AS asked_at
FROM (SELECT arrayJoin({recipients:Array(UInt64)}) AS recipient) AS k
LEFT JOIN
(
    SELECT recipient, uniqExact(delivery_id, message_id) AS messages, max(recipient_name) AS name FROM fed GROUP BY recipient
) AS m ON m.recipient = k.recipient
LEFT JOIN
(
    SELECT recipient, sumIf(sign, hit = 1 AND class != 'machine') AS hits_people, sumIf(sign, hit = 1) AS hits_all,
        sum(toInt64(sign)) AS stored
    FROM
    (
        SELECT assumeNotNull(recipient_key) AS recipient, sign, hit, class
        FROM events
        WHERE ({everybody:UInt8} = 1 OR delivery_id IN seen) AND (delivery_id, event_id) IN
            (SELECT delivery_id, event_id FROM recipient_activity WHERE recipient_key IN {recipients:Array(UInt64)})
        UNION ALL
        SELECT f.recipient, e.sign, e.hit, e.class
        FROM
        (
            SELECT delivery_id, message_id, sign, hit, class FROM events
            WHERE isNull(recipient_key) AND toInt8(kind) < 10
                AND delivery_id IN (SELECT delivery_id FROM fed) AND message_id IN (SELECT message_id FROM fed)
        ) AS e
        INNER JOIN (SELECT DISTINCT delivery_id, message_id, recipient FROM fed) AS f
            ON f.delivery_id = e.delivery_id AND f.message_id = e.message_id
    )
    GROUP BY recipient
) AS h ON h.recipient = k.recipient
ORDER BY recipient
