-- The last loaded source offset of some partitions, by source topic; the topic loaded last comes last.
SELECT src_partition, src_topic, max(src_offset) AS last
FROM audit
WHERE src_partition IN {partitions:Array(UInt16)}
GROUP BY src_partition, src_topic
ORDER BY max(log_time)
