-- Remember how many events of some deliveries are rows, by source record and minute of the event id. Counted again, the
-- same rows give the same.
INSERT INTO purged_events (src_topic, src_partition, src_offset, minute, deletion_id, events, counted)
SELECT
    e.first_topic, e.src_partition, e.first_offset, e.minute, d.deletion_id, count(), now64(3)
FROM
(
    SELECT
        delivery_id, src_partition,
        if(empty(history), src_topic, history[1].src_topic) AS first_topic,
        if(empty(history), src_offset, history[1].src_offset) AS first_offset,
        intDiv(reinterpretAsUInt64(reverse(concat('\0\0', substring(event_id, 1, 6)))), 60000) AS minute
    FROM events FINAL
    WHERE delivery_id IN {deliveries:Array(UInt64)} AND sign = 1
) AS e
INNER JOIN (SELECT delivery_id, deletion_id FROM deletions FINAL WHERE delivery_id IN {deliveries:Array(UInt64)}) AS d
    ON d.delivery_id = e.delivery_id
GROUP BY e.first_topic, e.src_partition, e.first_offset, e.minute, d.deletion_id
