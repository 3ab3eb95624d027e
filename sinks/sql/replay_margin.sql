-- The first source offset of the records a partition loaded last, as long before the last one as {seconds}.
SELECT min(src_from)
FROM audit
WHERE src_topic = {topic:String} AND src_partition = {partition:UInt16} AND log_time >=
(
    SELECT max(log_time) - toIntervalSecond({seconds:UInt32}) FROM audit
    WHERE src_topic = {topic:String} AND src_partition = {partition:UInt16}
)
