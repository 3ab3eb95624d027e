-- Source records between two loaded ones that no loaded record covers. One row. Of records loaded since `since`
-- (seconds since 1970).
SELECT sum(src_from - before - 1) AS missing
FROM
(
    SELECT
        toInt64(src_from) AS src_from,
        lagInFrame(toInt64(src_offset), 1, -1) OVER
            (PARTITION BY src_topic, src_partition ORDER BY src_offset ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
    FROM audit
    WHERE log_time >= toDateTime({since:UInt64}, 'UTC')
)
WHERE src_from > before + 1 AND before >= 0
