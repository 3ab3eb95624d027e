-- Source records whose rows of rejects are not as many as were inserted. Of records whose rejects are still kept
-- (`log_since`: seconds since 1970).
SELECT topic, partition, offset, toInt64(sum(of_audit)) AS must, toInt64(sum(of_rejects)) AS there, max(minutes) AS minute
FROM
(
    SELECT
        toString(src_topic) AS topic, src_partition AS partition, src_offset AS offset, toInt64(reject_rows) AS of_audit,
        toInt64(0) AS of_rejects, intDiv(toUnixTimestamp(log_time), 60) AS minutes
    FROM audit
    WHERE reject_rows > 0 AND log_time >= toDateTime64({log_since:UInt64}, 3, 'UTC')
      AND log_time < toDateTime64({log_until:UInt64}, 3, 'UTC')
      AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
    UNION ALL
    SELECT toString(src_topic), src_partition, src_offset, toInt64(0), toInt64(1), intDiv(toUnixTimestamp(log_time), 60)
    FROM rejects
    WHERE log_time >= toDateTime64({log_since:UInt64}, 3, 'UTC') AND log_time < toDateTime64({log_until:UInt64}, 3, 'UTC')
      AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
)
GROUP BY topic, partition, offset
HAVING must != there
ORDER BY topic, partition, offset
LIMIT {limit:UInt32}
