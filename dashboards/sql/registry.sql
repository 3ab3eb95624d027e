-- registry: what is known of the deliveries asked for, by key or by name.
-- One row per delivery that is registered or has events. Times UTC.
--   delivery      key (64 bits)
--   registered    1 if the sender has said anything about it, else the texts are empty and the figures NULL
--   name, account, label, code, campaign, channel, type, tags, status: the sender's own
--   contact_date, targeted, excluded (by cause), to_deliver, success: the sender's own, NULL where not given
--   asked_at      time of this answer
SELECT
    k.delivery_id AS delivery,
    d.updated > toDateTime64(0, 3, 'UTC') AS registered,
    d.name AS name, d.account AS account, d.label AS label, d.code AS code, d.campaign AS campaign,
    d.channel AS channel, d.type AS type, d.tags AS tags,
    d.status AS status, d.contact_date AS contact_date, d.targeted AS targeted, d.excluded AS excluded,
    d.to_deliver AS to_deliver, d.success AS success,
    now64(3, 'UTC') AS asked_at
FROM
(
    SELECT delivery_id FROM deliveries WHERE delivery_id IN {keys:Array(UInt64)} OR name IN {names:Array(String)}
    UNION DISTINCT
    SELECT delivery_id FROM touched WHERE delivery_id IN {keys:Array(UInt64)}
) AS k
LEFT JOIN (SELECT * FROM deliveries FINAL) AS d ON d.delivery_id = k.delivery_id
ORDER BY delivery
