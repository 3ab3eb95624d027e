-- Have the chain of a partition go on behind source offsets that are gone. Asked again with the same token, nothing.
INSERT INTO audit (src_topic, src_partition, src_from, src_offset, log_time, accepted)
SELECT {topic:String}, {partition:UInt16}, {first:UInt64}, {last:UInt64}, now64(3, 'UTC'), {accepted:String}
