-- Whether records of the audit are there that are not kept any more; the newest of each partition says where loading goes on.
SELECT count() FROM audit WHERE log_time < now64(3) - toIntervalDay({days:UInt32})
    AND (src_topic, src_partition, src_offset) NOT IN
    (SELECT src_topic, src_partition, max(src_offset) FROM audit GROUP BY src_topic, src_partition)
