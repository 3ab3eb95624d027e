-- Holes in the chain of loaded records: source offsets between two records that no record covers.
SELECT src_topic, src_partition, before + 1 AS hole_from, src_from - 1 AS hole_to
FROM
(
    SELECT
        src_topic,
        src_partition,
        toInt64(src_from) AS src_from,
        lagInFrame(toInt64(src_offset), 1, -1) OVER
            (PARTITION BY src_topic, src_partition ORDER BY src_offset ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
    FROM audit
)
WHERE src_from > before + 1 AND before >= 0
ORDER BY src_topic, src_partition, hole_from
LIMIT {limit:UInt32}
