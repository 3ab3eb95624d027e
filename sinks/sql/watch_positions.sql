-- The source topic that was loaded last, and the last loaded source offset of each of its partitions.
SELECT src_topic, src_partition, max(src_offset) AS last
FROM audit
WHERE src_topic = (SELECT argMax(src_topic, log_time) FROM audit)
GROUP BY src_topic, src_partition
