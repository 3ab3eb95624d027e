-- chain: whether the loaded records of the last days of log time follow on each other and add up. One row, of everybody's.
--   missing        source records between two loaded neighbours of a partition that no loaded record covers
--   unbalanced     events whose record does not say what became of them
--   last_log_time  log time of the newest loaded record, NULL where none was loaded
--   asked_at       time of this answer, UTC
SELECT sum(hole) AS missing, sum(off) AS unbalanced, maxOrNull(log_time) AS last_log_time, now64(3, 'UTC') AS asked_at
FROM
(
    SELECT log_time,
        greatest(toInt64(src_from) - 1 - toInt64(ifNull(any(toNullable(src_offset)) OVER neighbour, src_from - 1)), 0) AS hole,
        abs(toInt64(arraySum(events_in)) - toInt64(arraySum(out)) - toInt64(arraySum(duplicate)) - toInt64(arraySum(resent))
            - toInt64(arraySum(rejected)))
        + abs(toInt64(arraySum(out)) - toInt64(arraySum(stored)) - toInt64(arraySum(late_duplicate)) - toInt64(arraySum(refused))) AS off
    FROM audit
    WHERE log_time > now64(3, 'UTC') - toIntervalDay({days:UInt16})
    WINDOW neighbour AS (PARTITION BY src_topic, src_partition ORDER BY src_offset ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING)
)
