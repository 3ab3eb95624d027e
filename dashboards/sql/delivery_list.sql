-- delivery_list: a page of the deliveries that are registered or have events. One row per delivery. Visits without a
-- delivery are stored under 0: that is one only if it is registered, or has events of messages too.
-- Columns as in registry, and `matches`: how many there are in all.
-- Filters, '' or [] = any: channel, tag, account, search (a part of label, name or code), status (draft, sending or
-- finished: the registered one, else derived); everybody = 0: only registered deliveries of `accounts`.
-- sort: label, contact_date, to_deliver, success, recipient_open, recipient_click, unsubscribed or machine_share, numbers
-- as in base_live but stored ones (people = 1: human or unknown; 0: machines too); nothing known comes last. down = 1:
-- largest, latest first. A delivery too new for stored numbers has neither numbers here nor a derived status.
SELECT
    delivery, registered, name, account, label, code, campaign, channel, type, tags, status, contact_date,
    targeted, excluded, to_deliver, success, now64(3, 'UTC') AS asked_at, count() OVER () AS matches
FROM
(
    SELECT
        k.delivery_id AS delivery,
        d.updated > toDateTime64(0, 3, 'UTC') AS registered,
        d.name AS name, d.account AS account, d.label AS label, d.code AS code, d.campaign AS campaign,
        d.channel AS channel, d.type AS type, d.tags AS tags,
        d.status AS status, d.contact_date AS contact_date, d.targeted AS targeted, d.excluded AS excluded,
        d.to_deliver AS to_deliver, d.success AS success, d.updated AS updated,
        i.calculated > toDateTime64(0, 3, 'UTC') AS stored,
        coalesce(d.to_deliver, if(stored OR NOT k.has_events, i.messages, NULL)) AS planned,
        multiIf(d.status != '', d.status, k.has_events AND NOT stored, '',
            i.processed > 0, if(i.processed < planned, 'sending', 'finished'), i.hits > 0, 'finished', 'draft') AS state,
        dense_rank() OVER (ORDER BY lowerUTF8(multiIf(d.label != '', d.label, d.name != '', d.name, toString(k.delivery_id)))) AS place,
        multiIf(
            {sort:String} = 'label', toFloat64(place),
            {sort:String} = 'contact_date', toFloat64(toUnixTimestamp64Milli(d.contact_date)),
            {sort:String} = 'to_deliver', toFloat64(planned),
            k.has_events AND NOT stored, NULL,
            {sort:String} = 'success', toFloat64(if(i.processed > 0 OR f.fed > 0, i.success, coalesce(d.success, planned))),
            {sort:String} = 'recipient_open', toFloat64(if({people:UInt8} = 1, i.recipient_open_p, i.recipient_open)),
            {sort:String} = 'recipient_click', toFloat64(if({people:UInt8} = 1, i.recipient_click_p, i.recipient_click)),
            {sort:String} = 'unsubscribed', toFloat64(if({people:UInt8} = 1, i.unsubscribed_p, i.unsubscribed)),
            if(i.hits = 0, NULL, (i.hits - i.hits_p) / i.hits)) AS rank
    FROM
    (
        SELECT delivery_id, max(touched) AS has_events
        FROM
        (
            SELECT delivery_id, 0 AS touched FROM deliveries
            UNION ALL
            SELECT delivery_id, 1 FROM touched
            WHERE delivery_id != 0 OR 0 IN (SELECT delivery_id FROM stat_minute WHERE delivery_id = 0 AND kind NOT IN ('web', 'transaction'))
        )
        GROUP BY delivery_id
    ) AS k
    LEFT JOIN (SELECT * FROM deliveries FINAL) AS d ON d.delivery_id = k.delivery_id
    LEFT JOIN (SELECT * FROM indicators FINAL) AS i ON i.delivery_id = k.delivery_id
    LEFT JOIN
    (
        SELECT delivery_id, sum(n) AS fed FROM stat_minute
        WHERE {sort:String} = 'success' AND kind > 'prepared'
            AND delivery_id IN (SELECT delivery_id FROM indicators FINAL WHERE processed = 0)
        GROUP BY delivery_id
    ) AS f ON f.delivery_id = k.delivery_id
    WHERE ({everybody:UInt8} = 1 OR (registered AND d.account IN {accounts:Array(String)}))
        AND (empty({account:Array(String)}) OR (registered AND has({account:Array(String)}, d.account)))
        AND ({channel:String} = '' OR d.channel = {channel:String})
        AND ({tag:String} = '' OR has(d.tags, {tag:String}))
        AND ({search:String} = '' OR positionCaseInsensitiveUTF8(concat(d.label, '\n', d.name, '\n', d.code), {search:String}) > 0)
)
WHERE {status:String} = '' OR state = {status:String}
ORDER BY isNull(rank), if({down:UInt8} = 1, -rank, rank), updated DESC, delivery
LIMIT {limit:UInt64} OFFSET {offset:UInt64}
