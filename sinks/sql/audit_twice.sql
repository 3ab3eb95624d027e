-- Events whose rows do not add up to one, by source record and minute of the event id: a block that was inserted twice,
-- or one row of a re-label without the other. more: rows too many, negative where they are too few.
-- Reads in the order of the table's key, so that it takes next to no memory. A purge under way takes rows part by part.
SELECT
    toString(place.1) AS topic, place.2 AS partition, place.3 AS offset, epoch_minute, count() AS events,
    sum(net) - count() AS more, groupUniqArray(20)(delivery_id) AS deliveries, groupArray(3)(lower(hex(event_id))) AS ids
FROM
(
    SELECT
        delivery_id, event_id, sum(toInt64(sign)) AS net,
        argMin((
            if(rev = 0, src_topic, history[1].src_topic), src_partition, if(rev = 0, src_offset, history[1].src_offset)
        ), (sign = -1, rev)) AS place,
        intDiv(reinterpretAsUInt64(reverse(concat('\0\0', substring(event_id, 1, 6)))), 60000) AS epoch_minute
    FROM events
    WHERE (delivery_id, event_id) IN
    (
        SELECT delivery_id, event_id FROM events
        PREWHERE event_time >= toDateTime64({since:UInt64} * 60, 3, 'UTC') OR source = 'tool'
        WHERE delivery_id NOT IN (SELECT delivery_id FROM deletions FINAL WHERE state = 'purged')
        GROUP BY delivery_id, event_id
        HAVING sum(toInt64(sign)) != 1
        LIMIT {limit:UInt64}
    )
    GROUP BY delivery_id, event_id
    HAVING net != 1
)
WHERE epoch_minute >= {since:UInt64} AND epoch_minute < {until:UInt64}
  AND (topic != {topic:String} OR offset < {loaded:Array(UInt64)}[partition + 1])
GROUP BY topic, partition, offset, epoch_minute
ORDER BY topic, partition, offset, epoch_minute
SETTINGS optimize_aggregation_in_order = 1
