-- recipient: hits of recipients over all deliveries still stored. One row per event.
-- Hits whose link knows no recipient are found through the message the feed prepared for it. Times UTC.
-- people = 1: human or unknown; 0: machines too. uncounted = 1: also what does not count as a hit. kinds, classes,
-- wanted (delivery keys): empty = any. since, until: UTC milliseconds, the latter not in it; 0 = open.
-- everybody = 0: only deliveries registered for `accounts`. sort: newest, oldest, or by a text, newest first.
--   event_time, event_id (hexadecimal), delivery, message: keys;  kind, how
--   delivery_name, delivery_label, url_label, url: from the registry;  destination: the URL as followed
--   class, reasons (comma between), ruleset;  client, client_version, os, device, network, country, address
--   person         who acted (hexadecimal);  site, order_id, amount (minor units), currency, articles, page: web
--   hit            1 = counted; else why not: repeat, seed, and marks (bits: 1 late, 2 flood, 4 foreign, 8 expired)
--   matches        rows before the limit
WITH
    seen AS (SELECT delivery_id FROM deliveries FINAL WHERE account IN {accounts:Array(String)}),
    fed AS (SELECT delivery_id, message_id FROM message_state WHERE recipient_key IN {recipients:Array(UInt64)})
SELECT
    e.event_time AS event_time, lower(hex(e.event_id)) AS event_id, e.delivery_id AS delivery, e.message_id AS message,
    toString(e.kind) AS kind, toString(e.how) AS how,
    d.name AS delivery_name, d.label AS delivery_label, u.label AS url_label, u.url AS url, e.destination AS destination,
    toString(e.class) AS class, e.reasons AS reasons, e.ruleset AS ruleset,
    e.client AS client, e.client_version AS client_version, e.os AS os, e.device AS device, e.network AS network,
    e.country AS country, e.address AS address, leftPad(lower(hex(e.person)), 32, '0') AS person,
    e.site AS site, e.order_id AS order_id, e.amount AS amount, e.currency AS currency, e.articles AS articles, e.page AS page,
    e.hit AS hit, e.repeat AS repeat, e.seed AS seed, e.marks AS marks,
    count() OVER () AS matches
FROM
(
    SELECT * FROM events
    WHERE sign = 1 AND (empty({wanted:Array(UInt64)}) OR delivery_id IN {wanted:Array(UInt64)})
        AND ({everybody:UInt8} = 1 OR delivery_id IN seen)
        AND (delivery_id, event_id) IN
        (
            SELECT delivery_id, event_id FROM recipient_activity WHERE recipient_key IN {recipients:Array(UInt64)}
            UNION ALL
            SELECT delivery_id, event_id FROM events
            WHERE isNull(recipient_key) AND toInt8(kind) < 10
                AND message_id IN (SELECT message_id FROM fed) AND (delivery_id, message_id) IN fed
        )
    ORDER BY rev DESC
    LIMIT 1 BY delivery_id, event_id
) AS e
LEFT JOIN (SELECT delivery_id, name, label FROM deliveries FINAL) AS d ON d.delivery_id = e.delivery_id
LEFT JOIN (SELECT delivery_id, url_id, url, label FROM delivery_urls FINAL) AS u
    ON u.delivery_id = e.delivery_id AND u.url_id = e.url_id
WHERE ({uncounted:UInt8} = 1 OR e.hit = 1) AND ({people:UInt8} = 0 OR e.class != 'machine')
    AND (empty({kinds:Array(String)}) OR has({kinds:Array(String)}, toString(e.kind)))
    AND (empty({classes:Array(String)}) OR has({classes:Array(String)}, toString(e.class)))
    AND ({since:Int64} = 0 OR toUnixTimestamp64Milli(e.event_time) >= {since:Int64})
    AND ({until:Int64} = 0 OR toUnixTimestamp64Milli(e.event_time) < {until:Int64})
ORDER BY
    multiIf({sort:String} = 'kind', toString(e.kind), {sort:String} = 'class', toString(e.class),
            {sort:String} = 'client', toString(e.client),
            {sort:String} = 'delivery', multiIf(d.label != '', d.label, d.name != '', d.name, toString(e.delivery_id)),
            {sort:String} = 'link', multiIf(u.label != '', u.label, u.url != '', u.url, e.destination), ''),
    if({sort:String} = 'oldest', 1, -1) * toUnixTimestamp64Milli(e.event_time),
    if({sort:String} = 'oldest', e.event_id, ''),
    e.event_id DESC
LIMIT {limit:UInt64} OFFSET {offset:UInt64}
