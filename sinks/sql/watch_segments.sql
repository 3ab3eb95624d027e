-- Events of spool segments that did not arrive, or arrived in another number than they were accepted. One row.
-- Of segments whose totals were loaded after `since` and before `until` (seconds since 1970): the totals come last, but
-- other partitions may be loaded a little later. Packs are looked for up to a day before.
-- difference: events, summed over segments; of a segment that nothing came of, as many as the next one's header says.
WITH lately AS
(
    SELECT spool, segment, max(JSONExtractInt(totals, 'events')) AS accepted, max(JSONExtractInt(totals, 'previous')) AS previous
    FROM audit
    WHERE totals != '' AND log_time >= toDateTime({since:UInt64}, 'UTC') AND log_time < toDateTime({until:UInt64}, 'UTC')
    GROUP BY spool, segment
)
SELECT sum(n) AS difference
FROM
(
    SELECT toInt64(abs(l.accepted - a.arrived)) AS n
    FROM lately AS l
    LEFT JOIN
    (
        SELECT spool, segment, toInt64(sum(arraySum(events_in)) - sum(arraySum(resent))) AS arrived
        FROM audit
        WHERE log_time >= toDateTime({since:UInt64}, 'UTC') - toIntervalDay(1)
            AND (spool, segment) IN (SELECT spool, segment FROM lately)
        GROUP BY spool, segment
    ) AS a ON a.spool = l.spool AND a.segment = l.segment
    UNION ALL
    SELECT toInt64(previous)
    FROM lately
    WHERE segment > 0 AND (spool, segment - 1) NOT IN
        (SELECT spool, toInt64(segment) FROM audit WHERE spool IN (SELECT spool FROM lately))
)
