-- Rows of one source partition by source offset.
SELECT src_offset, count()
FROM {table:Identifier}
WHERE src_topic = {topic:String} AND src_partition = {partition:UInt16}
    AND src_offset BETWEEN {first:UInt64} AND {last:UInt64}
GROUP BY src_offset
