-- Of some segments: distinct events in loaded packs, by minute; and whether the totals came.
SELECT spool, segment, m AS epoch_minute, sum(n_in) - sum(n_resent) AS arrived
FROM audit
ARRAY JOIN minute AS m, events_in AS n_in, resent AS n_resent
WHERE (spool, segment) IN ({segments:Array(Tuple(String, UInt64))})
  AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
GROUP BY spool, segment, m
