-- Events of finished segments, by minute of the event id, as the segments' totals say. A totals pack that was sent
-- again counts once.
SELECT toUInt64(m) AS minute, sum(n) AS accepted
FROM
(
    SELECT any(JSONExtract(totals, 'counts', 'Map(String, Map(String, UInt64))')) AS counts
    FROM audit
    WHERE totals != '' AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
    GROUP BY spool, segment, JSONExtractUInt(totals, 'part')
)
ARRAY JOIN mapValues(counts) AS by_minute
ARRAY JOIN mapKeys(by_minute) AS m, mapValues(by_minute) AS n
WHERE minute >= {since:UInt64} AND minute < {until:UInt64}
GROUP BY minute
