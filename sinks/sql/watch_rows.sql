-- Events of the last minutes that do not add up: those that must be rows, against those that are. One row.
-- since: seconds since 1970, a whole minute. Up to the positions the look began with (`loaded`: the next offset of each
-- partition of the topic), so that an insert under way is on neither side.
-- difference: summed over minutes, so that a loss in one is not hidden by a gain in another.
WITH
    if(empty(history), src_topic, history[1].src_topic) AS first_topic,
    if(empty(history), src_offset, history[1].src_offset) AS first_offset
SELECT sum(abs(net)) AS difference
FROM
(
    SELECT epoch_minute, sum(n) AS net
    FROM
    (
        SELECT m AS epoch_minute, toInt64(n_in - n_resent - n_duplicate - n_late - n_rejected - n_refused) AS n
        FROM audit
        ARRAY JOIN
            minute AS m, events_in AS n_in, resent AS n_resent, duplicate AS n_duplicate, late_duplicate AS n_late,
            rejected AS n_rejected, refused AS n_refused
        WHERE m >= intDiv({since:UInt64}, 60)
            AND log_time >= toDateTime({since:UInt64}, 'UTC') - toIntervalDay(1)     -- no id is further ahead of its log
            AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
        UNION ALL
        SELECT
            intDiv(reinterpretAsUInt64(reverse(concat('\0\0', substring(event_id, 1, 6)))), 60000) AS epoch_minute,
            -toInt64(sign) AS n
        FROM events
        PREWHERE event_time >= toDateTime({since:UInt64}, 'UTC')     -- of the other columns a small part is read then
        WHERE epoch_minute >= intDiv({since:UInt64}, 60)
            AND (first_topic != {topic:String} OR first_offset < {loaded:Array(UInt64)}[src_partition + 1])
        UNION ALL
        SELECT minute AS epoch_minute, -toInt64(events) AS n     -- rows until their delivery was purged
        FROM purged_events FINAL
        WHERE minute >= intDiv({since:UInt64}, 60)
            AND (src_topic != {topic:String} OR src_offset < {loaded:Array(UInt64)}[src_partition + 1])
    )
    GROUP BY epoch_minute
)
