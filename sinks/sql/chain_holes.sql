-- Source offsets between two loaded records of a topic that no record covers: first and last of each hole.
SELECT src_partition, before + 1 AS first, src_from - 1 AS last
FROM
(
    SELECT
        src_partition, toInt64(src_from) AS src_from,
        lagInFrame(toInt64(src_offset), 1, -1) OVER
            (PARTITION BY src_partition ORDER BY src_offset ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
    FROM audit
    WHERE src_topic = {topic:String}
)
WHERE src_from > before + 1 AND before >= 0
ORDER BY src_partition, first
LIMIT {limit:UInt32}
