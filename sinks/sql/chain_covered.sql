-- How many rows of table audit cover one of some source offsets.
SELECT count() FROM audit
WHERE src_topic = {topic:String} AND src_partition = {partition:UInt16} AND src_from <= {last:UInt64}
    AND src_offset >= {first:UInt64}
