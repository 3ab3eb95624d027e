-- Spool segments whose events arrived in another number than they were accepted. One row.
-- Of segments whose totals were loaded after `since` and before `until` (seconds since 1970): the totals come last, but
-- other partitions may be loaded a little later. Packs are looked for up to a day before.
-- difference: events, summed over segments.
SELECT sum(abs(accepted - arrived)) AS difference
FROM
(
    SELECT
        maxIf(JSONExtractInt(totals, 'events'), totals != '') AS accepted,
        toInt64(sum(arraySum(events_in)) - sum(arraySum(resent))) AS arrived
    FROM audit
    WHERE log_time >= toDateTime({since:UInt64}, 'UTC') - toIntervalDay(1) AND (spool, segment) IN
    (
        SELECT spool, segment FROM audit
        WHERE totals != '' AND log_time >= toDateTime({since:UInt64}, 'UTC') AND log_time < toDateTime({until:UInt64}, 'UTC')
    )
    GROUP BY spool, segment
)
