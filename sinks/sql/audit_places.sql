-- Which packs some source records of a partition were.
SELECT
    toString(spool), min(segment), max(segment), min(first_index), max(last_index), toInt64(sum(pack_events)),
    count() AS records
FROM audit
WHERE src_topic = {topic:String} AND src_partition = {partition:UInt16}
  AND src_offset BETWEEN {first:UInt64} AND {last:UInt64}
GROUP BY spool
ORDER BY spool
LIMIT 20
