-- Rejects by reason: rows, and events they stand for.
SELECT toString(reason) AS reason, count() AS rows, sum(count) AS events
FROM rejects
WHERE (empty({keys:Array(String)}) OR has({keys:Array(String)}, reject_key))
    AND (empty({reasons:Array(String)}) OR has({reasons:Array(String)}, rejects.reason))
    AND record_time >= fromUnixTimestamp64Milli({since_ms:Int64}) AND record_time < fromUnixTimestamp64Milli(least({until_ms:Int64}, 4102444800000))
GROUP BY reason
ORDER BY events DESC, reason
