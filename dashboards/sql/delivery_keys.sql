-- delivery_keys: every delivery of an account that is registered or has events. One row per delivery.
-- Visits without a delivery are no delivery: see delivery_list.
-- everybody = 0: only registered ones of `accounts`. account: names an account may have, empty = any.
SELECT k.delivery_id AS delivery
FROM
(
    SELECT delivery_id FROM deliveries
    UNION DISTINCT
    SELECT delivery_id FROM touched
    WHERE delivery_id != 0 OR 0 IN (SELECT delivery_id FROM stat_minute WHERE delivery_id = 0 AND kind NOT IN ('web', 'transaction'))
) AS k
LEFT JOIN (SELECT delivery_id, account, updated FROM deliveries FINAL) AS d ON d.delivery_id = k.delivery_id
WHERE ({everybody:UInt8} = 1 OR (d.updated > toDateTime64(0, 3, 'UTC') AND d.account IN {accounts:Array(String)}))
    AND (empty({account:Array(String)}) OR d.account IN {account:Array(String)})
ORDER BY delivery
