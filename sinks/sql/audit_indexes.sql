-- Which indexes of one source record are rows of events or of rejects. Rows as they came are found by the index on
-- src_offset, re-labelled ones, which are few, by `rev`.
SELECT src_index AS index
FROM events
WHERE sign = 1 AND rev = 0
  AND src_topic = {topic:String} AND src_partition = {partition:UInt16} AND src_offset = {offset:UInt64}
UNION DISTINCT
SELECT history[1].src_index AS index
FROM events
PREWHERE sign = 1 AND rev > 0 AND src_partition = {partition:UInt16}
WHERE history[1].src_topic = {topic:String} AND history[1].src_offset = {offset:UInt64}
UNION DISTINCT
SELECT src_index AS index
FROM rejects
WHERE src_topic = {topic:String} AND src_partition = {partition:UInt16} AND src_offset = {offset:UInt64}
