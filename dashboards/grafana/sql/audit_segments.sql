-- audit_segments: spool segments finished in the time shown, by edge. One row per edge.
--   accepted       events, as the totals of the segments say;  arrived: distinct events of them that were loaded
SELECT s.edge AS edge, uniqExact(s.spool) AS spools, count() AS segments, sum(s.accepted) AS accepted,
    sum(s.arrived) AS arrived, toInt64(accepted) - toInt64(arrived) AS difference, max(s.newest) AS newest
FROM
(
    SELECT a.spool AS spool, a.segment AS segment, anyIf(JSONExtractString(a.totals, 'edge'), a.totals != '') AS edge,
        maxIf(JSONExtractUInt(a.totals, 'events'), a.totals != '') AS accepted,
        sum(arraySum(a.events_in)) - sum(arraySum(a.resent)) AS arrived, max(a.log_time) AS newest
    FROM audit AS a
    WHERE a.spool != '' AND $__timeFilter(a.log_time)
    GROUP BY spool, segment
    HAVING countIf(a.totals != '') > 0
) AS s
GROUP BY edge
ORDER BY edge
