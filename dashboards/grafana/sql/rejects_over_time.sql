-- rejects_over_time: rejected events by reason. One row per interval and reason.
SELECT $__timeInterval(r.log_time) AS time, r.reason AS reason, sum(r.count) AS events
FROM rejects AS r
WHERE $__timeFilter(r.log_time)
GROUP BY time, reason
ORDER BY time, reason
