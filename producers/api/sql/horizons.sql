-- horizons: up to which source offset the events of each partition are loaded, without holes. The loader writes `audit`
-- after `events`, and takes a partition's records in order (DESIGN §7).
SELECT src_topic, src_partition, max(src_offset) AS horizon
FROM audit
GROUP BY src_topic, src_partition
ORDER BY src_topic, src_partition
