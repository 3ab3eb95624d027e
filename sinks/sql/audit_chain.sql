-- Where the chain of loaded records is not one: records that begin behind the end of the one before (a hole), or not
-- behind it (`before` >= src_from: a record that is there twice), and those that cover more than one source offset (the
-- log held no record there), or are none but were accepted as lost (`accepted` says why and by whom). before: last source offset of the record before, -1 where there is none.
-- Read in the order of the table's key.
SELECT topic, partition, before, first, last, log_time, accepted
FROM
(
    SELECT
        toString(src_topic) AS topic, src_partition AS partition, toInt64(src_from) AS first, toInt64(src_offset) AS last,
        log_time, accepted, lagInFrame(toInt64(src_offset), 1, -1) OVER
            (PARTITION BY src_topic, src_partition ORDER BY src_offset ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
    FROM audit
    WHERE log_time >= toDateTime64({log_since:UInt64}, 3, 'UTC')
)
WHERE first != before + 1 OR last > first OR accepted != ''
ORDER BY topic, partition, last
LIMIT {limit:UInt32}
