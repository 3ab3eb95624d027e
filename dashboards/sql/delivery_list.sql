-- delivery_list: deliveries that are registered or have events, newest contact date first, those without one last.
-- One row per delivery. Columns as in registry, and `matches`: how many there are before the limit. Filters: '' = any;
-- everybody = 0: only registered deliveries of `accounts`.
SELECT
    k.delivery_id AS delivery,
    d.updated > toDateTime64(0, 3, 'UTC') AS registered,
    d.name AS name, d.account AS account, d.label AS label, d.code AS code, d.campaign AS campaign,
    d.channel AS channel, d.type AS type, d.tags AS tags, d.sender AS sender, d.subject AS subject,
    d.status AS status, d.contact_date AS contact_date, d.targeted AS targeted, d.excluded AS excluded,
    d.to_deliver AS to_deliver, d.success AS success,
    now64(3, 'UTC') AS asked_at,
    count() OVER () AS matches
FROM
(
    SELECT delivery_id FROM deliveries
    UNION DISTINCT
    SELECT delivery_id FROM touched
) AS k
LEFT JOIN (SELECT * FROM deliveries FINAL) AS d ON d.delivery_id = k.delivery_id
WHERE ({everybody:UInt8} = 1 OR (registered AND d.account IN {accounts:Array(String)}))
    AND ({channel:String} = '' OR d.channel = {channel:String})
    AND ({tag:String} = '' OR has(d.tags, {tag:String}))
    AND ({search:String} = '' OR positionCaseInsensitiveUTF8(concat(d.label, '\n', d.name, '\n', d.code), {search:String}) > 0)
ORDER BY d.contact_date DESC NULLS LAST, d.updated DESC, delivery
LIMIT {limit:UInt64}
