-- Loaded packs of some segments: where each came from, its index range, and how many of its events had not come before.
SELECT
    toString(spool), segment, src_partition, src_offset, first_index, last_index, arraySum(events_in) - arraySum(resent)
FROM audit
WHERE pack_events > 0 AND (spool, segment) IN ({segments:Array(Tuple(String, UInt64))})
  AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
ORDER BY spool, segment, first_index
