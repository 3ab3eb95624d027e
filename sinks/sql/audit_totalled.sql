-- Of some segments: their loaded totals, events by minute. A totals pack that was sent again counts once.
SELECT spool, segment, toUInt64(m) AS epoch_minute, sum(n) AS accepted
FROM
(
    SELECT spool, segment, any(JSONExtract(totals, 'counts', 'Map(String, Map(String, UInt64))')) AS counts
    FROM audit
    WHERE totals != '' AND (spool, segment) IN ({segments:Array(Tuple(String, UInt64))})
      AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
    GROUP BY spool, segment, JSONExtractUInt(totals, 'part')
)
ARRAY JOIN mapValues(counts) AS by_minute
ARRAY JOIN mapKeys(by_minute) AS m, mapValues(by_minute) AS n
GROUP BY spool, segment, m
