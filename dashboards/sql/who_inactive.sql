-- who_inactive: recipients of deliveries without a hit in the cut since a moment, those silent longest first.
-- One row per recipient. since: UTC milliseconds. people = 1: human or unknown; 0: machines too.
-- Only recipients that the feed names are known; seeds and proofs are left out. Hits count for the recipient that their
-- link names, else for that of their message. A row that a re-label cancels is left out before a last hit is looked for.
--   recipient      key;  name: as the sender calls it;  domain;  messages: of these deliveries, to this recipient
--   last_hit       in these deliveries, UTC, NULL = none;  matches: rows before the limit
-- Counts first and looks names up for the page alone: names of millions are what costs most.
WITH
    taken_back AS
    (
        SELECT delivery_id, event_id, rev FROM events
        PREWHERE delivery_id IN {deliveries:Array(UInt64)} AND hit = 1 AND sign = -1
    )
SELECT p.whose AS recipient, max(s.recipient_name) AS name, lower(max(s.domain)) AS domain, p.messages AS messages,
    if(toUnixTimestamp64Milli(p.last_at) = 0, NULL, p.last_at) AS last_hit, p.matches AS matches
FROM message_state AS s FINAL
INNER JOIN
(
    SELECT assumeNotNull(whose) AS whose, sum(fed_messages) AS messages, max(hit_at) AS last_at, count() OVER () AS matches
    FROM
    (
        SELECT recipient_key AS whose, 1 AS fed_messages, toDateTime64(0, 3, 'UTC') AS hit_at
        FROM message_state FINAL
        WHERE delivery_id IN {deliveries:Array(UInt64)} AND seed = 0
        UNION ALL
        SELECT recipient_key, 0, max(event_time)
        FROM events
        PREWHERE delivery_id IN {deliveries:Array(UInt64)} AND hit = 1 AND sign = 1
        WHERE isNotNull(recipient_key) AND ({people:UInt8} = 0 OR class != 'machine')
            AND (delivery_id, event_id, rev) NOT IN (SELECT delivery_id, event_id, rev FROM taken_back)
        GROUP BY recipient_key
        UNION ALL
        SELECT f.recipient_key, 0, h.hit_at
        FROM message_state AS f FINAL
        INNER JOIN
        (
            SELECT delivery_id, message_id, max(event_time) AS hit_at
            FROM events
            PREWHERE delivery_id IN {deliveries:Array(UInt64)} AND hit = 1 AND sign = 1
            WHERE isNull(recipient_key) AND ({people:UInt8} = 0 OR class != 'machine')
                AND (delivery_id, event_id, rev) NOT IN (SELECT delivery_id, event_id, rev FROM taken_back)
            GROUP BY delivery_id, message_id
        ) AS h ON h.delivery_id = f.delivery_id AND h.message_id = f.message_id
        WHERE f.delivery_id IN {deliveries:Array(UInt64)} AND f.seed = 0
    )
    WHERE isNotNull(whose)
    GROUP BY whose
    HAVING messages > 0 AND toUnixTimestamp64Milli(last_at) < {since:Int64}
    ORDER BY last_at, whose
    LIMIT {limit:UInt64} OFFSET {offset:UInt64}
) AS p ON p.whose = s.recipient_key
WHERE s.delivery_id IN {deliveries:Array(UInt64)} AND s.seed = 0
GROUP BY recipient, messages, last_hit, matches
ORDER BY last_hit NULLS FIRST, recipient
