-- Where the record before a source offset is in tracking.enriched: its offset there, and its last source offset.
SELECT enriched_offset, src_offset
FROM audit
WHERE src_topic = {topic:String} AND src_partition = {partition:UInt16} AND src_offset < {first:UInt64} AND accepted = ''
ORDER BY src_offset DESC
LIMIT 1
