-- Rejects, newest record first; limit 0 = all. place: where in tracking.events it was.
SELECT reject_key, record_time, stage, toString(reason), detail, count AS events, original,
    concat(toString(src_partition), ':', toString(src_offset), ':', toString(src_index)) AS place
FROM rejects
WHERE (empty({keys:Array(String)}) OR has({keys:Array(String)}, reject_key))
    AND (empty({reasons:Array(String)}) OR has({reasons:Array(String)}, rejects.reason))
    AND record_time >= fromUnixTimestamp64Milli({since_ms:Int64}) AND record_time < fromUnixTimestamp64Milli(least({until_ms:Int64}, 4102444800000))
ORDER BY record_time DESC, src_partition, src_offset DESC, src_index
LIMIT if({limit:UInt64} = 0, 9223372036854775807, {limit:UInt64})
