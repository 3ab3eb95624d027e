-- delivery_fed: the same of a delivery that nobody registered, as any event of its feed says. Ends at the first one.
SELECT delivery_id, toString(account) AS account, toString(delivery_name) AS name
FROM events
WHERE delivery_id = {delivery:UInt64} AND toInt8(kind) >= 10
LIMIT 1
