-- rejects_newest: the newest rejects. One row each. original: the first 200 bytes.
SELECT r.log_time AS time, toString(r.stage) AS stage, r.reason AS reason, r.detail AS detail, r.count AS events,
    r.src_partition AS partition, r.src_offset AS offset, substring(r.original, 1, 200) AS original
FROM rejects AS r
WHERE $__timeFilter(r.log_time)
ORDER BY time DESC
LIMIT {limit:UInt64}
