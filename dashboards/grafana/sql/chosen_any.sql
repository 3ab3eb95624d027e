-- chosen_any: the deliveries that the variables account and channel choose. One row per delivery.
SELECT k.delivery_id AS delivery_id
FROM
(
    SELECT delivery_id FROM deliveries
    UNION DISTINCT
    SELECT delivery_id FROM touched
) AS k
LEFT JOIN (SELECT delivery_id, account, channel FROM deliveries FINAL) AS d ON d.delivery_id = k.delivery_id
WHERE ({account:String} = 'all' OR concat('=', d.account) = {account:String})
    AND ({channel:String} = 'all' OR concat('=', d.channel) = {channel:String})
