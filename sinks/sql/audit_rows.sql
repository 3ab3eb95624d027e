-- Events that must be rows against those that are, by source record and minute of the event id. One row for each minute
-- (`whole` = 1, without a place), and one for each place that does not add up.
-- must: went on to the loader, less what it could not store; purged: were rows until their delivery was purged;
-- there: events with a row of sign 1, whatever re-labelled them: counted by the place of the first row, which `history`
-- keeps, so that neither a merge nor a re-label under way changes it.
-- Up to the positions the audit began with (`loaded`: the next offset of each partition of the topic).
SELECT
    topic, partition, offset, epoch_minute, toInt64(sum(of_audit)) AS must, toInt64(sum(of_purged)) AS purged,
    toInt64(sum(of_events)) AS there, grouping(topic) AS whole
FROM
(
    SELECT * FROM
    (
        WITH
            if(rev = 0, src_topic, history[1].src_topic) AS first_topic,
            if(rev = 0, src_offset, history[1].src_offset) AS first_offset,
            if(rev = 0, src_index, history[1].src_index) AS first_index,
            intDiv(reinterpretAsUInt64(reverse(concat('\0\0', substring(event_id, 1, 6)))), 60000) AS minute
        SELECT
            toString(first_topic) AS topic, src_partition AS partition, first_offset AS offset, minute AS epoch_minute,
            toInt64(0) AS of_audit, toInt64(0) AS of_purged, toInt64(groupBitmap(first_index)) AS of_events
        FROM events
        PREWHERE sign = 1 AND (event_time >= toDateTime64({since:UInt64} * 60, 3, 'UTC') OR source = 'tool')
        WHERE minute >= {since:UInt64} AND minute < {until:UInt64}
          AND (first_topic != {topic:String} OR first_offset < {loaded:Array(UInt64)}[src_partition + 1])
        GROUP BY topic, partition, offset, epoch_minute
    )
    UNION ALL
    SELECT
        toString(src_topic), src_partition, src_offset, m,
        toInt64(n_in) - toInt64(n_resent + n_duplicate + n_rejected + n_late + n_refused), toInt64(0), toInt64(0)
    FROM audit
    ARRAY JOIN
        minute AS m, events_in AS n_in, resent AS n_resent, duplicate AS n_duplicate, rejected AS n_rejected,
        late_duplicate AS n_late, refused AS n_refused
    WHERE m >= {since:UInt64} AND m < {until:UInt64}
      AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
    UNION ALL
    SELECT toString(src_topic), src_partition, src_offset, minute, toInt64(0), toInt64(events), toInt64(0)
    FROM purged_events FINAL
    WHERE minute >= {since:UInt64} AND minute < {until:UInt64}
      AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
)
GROUP BY GROUPING SETS ((epoch_minute), (topic, partition, offset, epoch_minute))
HAVING whole = 1 OR there < must - purged OR there > must
ORDER BY whole DESC, topic, partition, offset, epoch_minute
SETTINGS force_grouping_standard_compatibility = 1
