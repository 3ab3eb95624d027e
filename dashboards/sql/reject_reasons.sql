-- reject_reasons: events that could not be stored, of the last days of log time. One row per delivery and reason.
-- An original that names its delivery is counted there; one that names none, or can't be read, under `told` 0.
--   told           1: the original names `delivery`, one of `deliveries`; 0: it may be anybody's
--   delivery       key, 0 where told = 0
--   reason         why it was refused
--   events         how many
SELECT told, delivery, reason, sum(count) AS events
FROM
(
    SELECT JSONType(original, 'd') IN ('UInt64', 'Int64') AS told,
        if(told, JSONExtractUInt(original, 'd'), 0) AS delivery, toString(reason) AS reason, count
    FROM rejects
    WHERE log_time > now64(3, 'UTC') - toIntervalDay({days:UInt16})
)
WHERE NOT told OR delivery IN {deliveries:Array(UInt64)}
GROUP BY told, delivery, reason
ORDER BY told DESC, events DESC, reason
