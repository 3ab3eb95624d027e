-- Of some segments with totals: events that were accepted and did not arrive, by partition and minute; negative where
-- more arrived. A totals pack that was sent again counts once.
SELECT spool_id, sequence, partition, epoch_minute, sum(n) AS short
FROM
(
    SELECT
        toString(spool) AS spool_id, segment AS sequence, toUInt16(p) AS partition, toUInt64(m) AS epoch_minute, toInt64(c) AS n
    FROM
    (
        SELECT spool, segment, any(JSONExtract(totals, 'counts', 'Map(String, Map(String, UInt64))')) AS counts
        FROM audit
        WHERE totals != '' AND (spool, segment) IN ({segments:Array(Tuple(String, UInt64))})
          AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
        GROUP BY spool, segment, JSONExtractUInt(totals, 'part')
    )
    ARRAY JOIN mapKeys(counts) AS p, mapValues(counts) AS by_minute
    ARRAY JOIN mapKeys(by_minute) AS m, mapValues(by_minute) AS c
    UNION ALL
    SELECT toString(spool), segment, src_partition, m, -toInt64(n_in - n_resent)
    FROM audit
    ARRAY JOIN minute AS m, events_in AS n_in, resent AS n_resent
    WHERE (spool, segment) IN ({segments:Array(Tuple(String, UInt64))})
      AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
)
GROUP BY spool_id, sequence, partition, epoch_minute
HAVING short != 0
ORDER BY spool_id, sequence, partition, epoch_minute
