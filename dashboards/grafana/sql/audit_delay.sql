-- audit_delay: how old events are when they are loaded: log time of the record - minute of the event. One row per
-- interval and quantile; seconds. Events of feeds may be days old, hits are not.
SELECT d.time AS time, q.1 AS quantile, q.2 AS seconds
FROM
(
    SELECT $__timeInterval(a.log_time) AS time,
        quantilesExactWeighted(0.5, 0.95)(greatest(toInt64(toUnixTimestamp(a.log_time)) - toInt64(m) * 60, 0), n) AS found
    FROM audit AS a ARRAY JOIN a.minute AS m, a.events_in AS n
    WHERE $__timeFilter(a.log_time) AND m > 0 AND n > 0
    GROUP BY time
) AS d
ARRAY JOIN [('half', d.found[1]), ('95 %', d.found[2])] AS q
ORDER BY time, quantile
