-- The last loaded source offset of each partition of a topic.
SELECT src_partition, max(src_offset) AS last
FROM audit
WHERE src_topic = {topic:String}
GROUP BY src_partition
