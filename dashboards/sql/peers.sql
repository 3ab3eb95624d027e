-- peers: deliveries a delivery is compared with: same channel and type, contact date in the 6 months before its own,
-- without proofs and itself. One row per delivery. contact_date: UTC milliseconds. everybody = 0: only those of `accounts`.
SELECT delivery_id AS delivery
FROM deliveries FINAL
WHERE channel = {channel:String} AND type = {type:String} AND lower(type) != 'proof'
    AND delivery_id != {delivery:UInt64}
    AND ({everybody:UInt8} = 1 OR account IN {accounts:Array(String)})
    AND contact_date < fromUnixTimestamp64Milli({contact_date:Int64}, 'UTC')
    AND contact_date >= subtractMonths(fromUnixTimestamp64Milli({contact_date:Int64}, 'UTC'), 6)
ORDER BY delivery
