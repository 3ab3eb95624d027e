-- Deliveries with something counted before a moment (UTC seconds).
SELECT DISTINCT delivery_id FROM stat_minute
WHERE delivery_id IN {deliveries:Array(UInt64)} AND minute < fromUnixTimestamp({before_s:Int64})
