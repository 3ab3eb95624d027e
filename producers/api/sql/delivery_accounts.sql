-- delivery_accounts: whose a delivery is and what it is called: as registered, else as its feed events say.
SELECT delivery_id, toString(max(account)) AS account, max(name) AS name
FROM
(
    SELECT delivery_id, account, name FROM deliveries FINAL WHERE delivery_id IN {deliveries:Array(UInt64)}
    UNION ALL
    SELECT delivery_id, max(account), max(toString(delivery_name)) FROM events
    WHERE delivery_id IN {deliveries:Array(UInt64)} AND toInt8(kind) >= 10
        AND delivery_id NOT IN (SELECT delivery_id FROM deliveries WHERE delivery_id IN {deliveries:Array(UInt64)})
    GROUP BY delivery_id
)
GROUP BY delivery_id
