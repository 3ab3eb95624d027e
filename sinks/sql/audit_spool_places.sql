-- Source offsets of the packs of some spools, by partition and segment: what lies between two of them may have held others.
SELECT toString(spool), src_partition, segment, toInt64(min(src_offset)), toInt64(max(src_offset))
FROM audit
WHERE pack_events > 0 AND spool IN {spools:Array(String)} AND segment BETWEEN {first:UInt64} AND {last:UInt64}
  AND src_topic = {topic:String} AND src_offset < {loaded:Array(UInt64)}[src_partition + 1]
GROUP BY spool, src_partition, segment
ORDER BY spool, src_partition, segment
