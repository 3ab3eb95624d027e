-- What the loaded records say became of their events, by minute of the event id (epoch minutes).
-- Up to the positions the audit began with (`loaded`: the next offset of each partition of the topic).
-- direct: events in records that came from no spool, so nobody accepted them.
SELECT
    m AS epoch_minute,
    sum(n_in) AS events,
    sumIf(n_in, spool = '') AS direct,
    sum(n_resent) AS copies,
    sum(n_duplicate) + sum(n_late) AS duplicates,
    sum(n_rejected) + sum(n_refused) AS rejects,
    sum(n_out) AS enriched
FROM audit
ARRAY JOIN
    minute AS m, events_in AS n_in, resent AS n_resent, duplicate AS n_duplicate, late_duplicate AS n_late,
    rejected AS n_rejected, refused AS n_refused, out AS n_out
WHERE m >= {since:UInt64} AND m < {until:UInt64}
  AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
GROUP BY m
