-- Events that are rows, by minute of the event id: sum(sign) of an event is 1 whatever re-labelled it. And those that
-- were, until their delivery was purged.
-- Up to the positions the audit began with: an event counts by the place of its first row, which `history` keeps.
SELECT minute, sum(n) AS stored
FROM
(
    WITH
        if(empty(history), src_topic, history[1].src_topic) AS first_topic,
        if(empty(history), src_offset, history[1].src_offset) AS first_offset
    SELECT
        intDiv(reinterpretAsUInt64(reverse(concat('\0\0', substring(event_id, 1, 6)))), 60000) AS minute,
        sum(toInt64(sign)) AS n
    FROM events
    WHERE minute >= {since:UInt64} AND minute < {until:UInt64}
      AND (first_topic != {topic:String} OR first_offset < {loaded:Array(UInt64)}[src_partition + 1])
    GROUP BY minute
    UNION ALL
    SELECT minute, sum(toInt64(events)) AS n
    FROM purged_events FINAL
    WHERE minute >= {since:UInt64} AND minute < {until:UInt64}
      AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
    GROUP BY minute
)
GROUP BY minute
HAVING stored != 0
