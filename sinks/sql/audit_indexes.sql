-- Which indexes of one source record are rows of events or of rejects.
SELECT DISTINCT if(rev = 0, src_index, history[1].src_index) AS index
FROM events
WHERE sign = 1 AND src_partition = {partition:UInt16}
  AND if(rev = 0, src_topic, history[1].src_topic) = {topic:String}
  AND if(rev = 0, src_offset, history[1].src_offset) = {offset:UInt64}
UNION DISTINCT
SELECT src_index AS index
FROM rejects
WHERE src_topic = {topic:String} AND src_partition = {partition:UInt16} AND src_offset = {offset:UInt64}
ORDER BY index
