-- audit_over_time: what became of the events of loaded records, by time of loading. One row per interval and outcome.
SELECT $__timeInterval(a.log_time) AS time, pair.1 AS outcome, sum(pair.2) AS events
FROM audit AS a
ARRAY JOIN
[
    ('stored', arraySum(a.stored)), ('duplicate', arraySum(a.duplicate) + arraySum(a.late_duplicate)),
    ('sent again', arraySum(a.resent)), ('rejected', arraySum(a.rejected) + arraySum(a.refused))
] AS pair
WHERE $__timeFilter(a.log_time)
GROUP BY time, outcome
HAVING events != 0
ORDER BY time, outcome
