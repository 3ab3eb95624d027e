-- Events of the last minutes that do not add up: those that must be rows, against those that are. One row.
-- since: seconds since 1970, a whole minute. Up to the positions the look began with (`loaded`: the next offset of each
-- partition of the topic), so that an insert under way is on neither side.
-- difference: summed over source records and minutes, so that a loss in one is not hidden by a gain in another; and rows
-- that are there twice. How events are counted, and why so: audit_rows.sql.
SELECT sum(greatest(must - purged - there, there - must, 0) + twice) AS difference
FROM
(
    SELECT sum(of_audit) AS must, sum(of_purged) AS purged, sum(of_events) AS there, sum(more) AS twice
    FROM
    (
        SELECT
            toString(src_topic) AS topic, src_partition AS partition, src_offset AS offset, m AS epoch_minute,
            toInt64(n_in) - toInt64(n_resent + n_duplicate + n_late + n_rejected + n_refused) AS of_audit,
            toInt64(0) AS of_purged, toInt64(0) AS of_events, toInt64(0) AS more
        FROM
        (
            SELECT * FROM audit
            WHERE log_time >= toDateTime({since:UInt64}, 'UTC') - toIntervalDay(1)     -- no id is further ahead of its log
                AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
            LIMIT 1 BY src_topic, src_partition, src_offset     -- an insert that was applied twice is there twice too
        )
        ARRAY JOIN
            minute AS m, events_in AS n_in, resent AS n_resent, duplicate AS n_duplicate, late_duplicate AS n_late,
            rejected AS n_rejected, refused AS n_refused
        WHERE m >= intDiv({since:UInt64}, 60)
        UNION ALL
        SELECT * FROM
        (
            WITH
                if(rev = 0, src_topic, history[1].src_topic) AS first_topic,
                if(rev = 0, src_offset, history[1].src_offset) AS first_offset,
                if(rev = 0, src_index, history[1].src_index) AS first_index,
                intDiv(reinterpretAsUInt64(reverse(concat('\0\0', substring(event_id, 1, 6)))), 60000) AS minute
            SELECT
                toString(first_topic) AS topic, src_partition AS partition, first_offset AS offset, minute AS epoch_minute,
                toInt64(0), toInt64(0), toInt64(groupBitmap(first_index)),
                toInt64(countIf(rev = 0)) - toInt64(groupBitmapIf(first_index, rev = 0))
            FROM events
            PREWHERE event_time >= toDateTime({since:UInt64}, 'UTC') - toIntervalDay(1)     -- of a replayed reject: older
            WHERE sign = 1 AND minute >= intDiv({since:UInt64}, 60)
                AND (first_topic != {topic:String} OR first_offset < {loaded:Array(UInt64)}[src_partition + 1])
            GROUP BY topic, partition, offset, epoch_minute
        )
        UNION ALL
        SELECT toString(src_topic), src_partition, src_offset, minute, toInt64(0), toInt64(events), toInt64(0), toInt64(0)
        FROM purged_events FINAL     -- rows until their delivery was purged
        WHERE minute >= intDiv({since:UInt64}, 60)
            AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
    )
    GROUP BY topic, partition, offset, epoch_minute
)
