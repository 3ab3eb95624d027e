-- who_inactive: recipients of deliveries without a hit in the cut since a moment, those silent longest first.
-- One row per recipient. since: UTC milliseconds. people = 1: human or unknown; 0: machines too.
-- Only recipients that the feed names are known; seeds and proofs are left out. Hits count for the recipient that their
-- link names, else for that of their message. A row that a re-label cancels is left out before a last hit is looked for.
--   recipient      key;  name: as the sender calls it;  domain;  messages: of these deliveries, to this recipient
--   last_hit       in these deliveries, UTC, NULL = none;  matches: rows before the limit
WITH
    fed AS
    (
        SELECT delivery_id, message_id, max(recipient_key) AS recipient, max(recipient_name) AS named, max(domain) AS mail_domain
        FROM message_state
        WHERE delivery_id IN {deliveries:Array(UInt64)}
        GROUP BY delivery_id, message_id
        HAVING max(seed) = 0
    )
SELECT assumeNotNull(whose) AS recipient, max(named) AS name, lower(max(mail_domain)) AS domain, sum(fed_messages) AS messages,
    if(toUnixTimestamp64Milli(max(at)) = 0, NULL, max(at)) AS last_hit, count() OVER () AS matches
FROM
(
    SELECT recipient AS whose, named, toString(mail_domain) AS mail_domain, 1 AS fed_messages, toDateTime64(0, 3, 'UTC') AS at FROM fed
    UNION ALL
    SELECT ifNull(h.recipient, f.recipient), '', '', 0, h.at
    FROM
    (
        SELECT delivery_id, message_id, recipient_key AS recipient, max(event_time) AS at
        FROM events
        WHERE delivery_id IN {deliveries:Array(UInt64)} AND hit = 1 AND sign = 1
            AND ({people:UInt8} = 0 OR class != 'machine')
            AND (delivery_id, event_id, rev) NOT IN
            (
                SELECT delivery_id, event_id, rev FROM events
                WHERE delivery_id IN {deliveries:Array(UInt64)} AND hit = 1 AND sign = -1
            )
        GROUP BY delivery_id, message_id, recipient
    ) AS h
    LEFT JOIN fed AS f ON f.delivery_id = h.delivery_id AND f.message_id = h.message_id
)
WHERE isNotNull(whose)
GROUP BY whose
HAVING messages > 0 AND toUnixTimestamp64Milli(max(at)) < {since:Int64}
ORDER BY last_hit NULLS FIRST, recipient
LIMIT {limit:UInt64} OFFSET {offset:UInt64}
