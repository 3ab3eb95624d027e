-- Rejects of one source partition: how many rows of each line.
SELECT src_offset, src_index, count()
FROM rejects
WHERE src_topic = {topic:String} AND src_partition = {partition:UInt16} AND src_offset IN {offsets:Array(UInt64)}
GROUP BY src_offset, src_index
