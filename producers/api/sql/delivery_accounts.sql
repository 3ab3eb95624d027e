-- delivery_accounts: whose a delivery is and what it is called, as registered.
SELECT delivery_id, toString(account) AS account, name
FROM deliveries FINAL
WHERE delivery_id IN {deliveries:Array(UInt64)}
