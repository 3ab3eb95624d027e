-- Distinct events that arrived of segments whose totals have not come, by segment and minute.
SELECT toString(spool), segment, m AS epoch_minute, sum(n_in) - sum(n_resent) AS arrived
FROM audit
ARRAY JOIN minute AS m, events_in AS n_in, resent AS n_resent
WHERE spool != '' AND (spool, segment) NOT IN (SELECT spool, segment FROM audit WHERE totals != ''
      AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1]))
  AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
GROUP BY spool, segment, m
