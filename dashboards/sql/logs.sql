-- logs: a page of what came back from deliveries, newest first. One row per event, as last judged. Times UTC.
-- people = 1: human or unknown; 0: machines too. uncounted = 1: also events that count as no hit. kinds, classes: empty =
-- any. link: '' = any, else a part of the link's label or URL, or of the URL as followed.
--   event_time, event_id (hexadecimal), delivery, message, recipient (NULL: the link knows none): keys;  kind, how
--   url_label, url: of the registry;  destination: the URL as followed;  page: of a visit
--   person         who acted (hexadecimal);  class, reasons, ruleset: as last judged
--   client, os, device, network, country, address: of the request
--   hit            1 = counted; else why not: repeat, seed, and marks (bits: 1 late, 2 flood, 4 foreign, 8 expired)
SELECT
    e.event_time AS event_time, lower(hex(e.event_id)) AS event_id, e.delivery_id AS delivery, e.message_id AS message,
    e.recipient_key AS recipient, toString(e.kind) AS kind, toString(e.how) AS how,
    u.label AS url_label, u.url AS url, e.destination AS destination, e.page AS page,
    leftPad(lower(hex(e.person)), 32, '0') AS person, toString(e.class) AS class, e.reasons AS reasons, e.ruleset AS ruleset,
    e.client AS client, e.os AS os, e.device AS device, e.network AS network, e.country AS country, e.address AS address,
    e.hit AS hit, e.repeat AS repeat, e.seed AS seed, e.marks AS marks
FROM
(
    SELECT * FROM events
    WHERE delivery_id IN {deliveries:Array(UInt64)} AND sign = 1 AND (delivery_id, event_id) IN
    (
        SELECT delivery_id, event_id
        FROM events
        WHERE delivery_id IN {deliveries:Array(UInt64)} AND sign = 1 AND toInt8(kind) < 10
            AND (hit = 1 OR {uncounted:UInt8} = 1) AND (class != 'machine' OR {people:UInt8} = 0)
            AND (empty({kinds:Array(String)}) OR has({kinds:Array(String)}, toString(kind)))
            AND (empty({classes:Array(String)}) OR has({classes:Array(String)}, toString(class)))
            AND ({link:String} = '' OR positionCaseInsensitiveUTF8(destination, {link:String}) > 0 OR (delivery_id, url_id) IN
            (
                SELECT delivery_id, url_id FROM delivery_urls FINAL
                WHERE delivery_id IN {deliveries:Array(UInt64)}
                    AND positionCaseInsensitiveUTF8(concat(label, '\n', url), {link:String}) > 0
            ))
            AND (delivery_id, event_id, rev) NOT IN
                (SELECT delivery_id, event_id, rev FROM events WHERE delivery_id IN {deliveries:Array(UInt64)} AND sign = -1)
        ORDER BY event_id DESC
        LIMIT {limit:UInt64} OFFSET {offset:UInt64}
    )
    ORDER BY rev DESC
    LIMIT 1 BY delivery_id, event_id
) AS e
LEFT JOIN (SELECT delivery_id, url_id, url, label FROM delivery_urls FINAL WHERE delivery_id IN {deliveries:Array(UInt64)}) AS u
    ON u.delivery_id = e.delivery_id AND u.url_id = e.url_id
ORDER BY e.event_id DESC
