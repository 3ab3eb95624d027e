-- audit_positions: how far each partition of tracking.events is loaded. One row per topic and partition.
--   missing        source records between two loaded ones that none covers
SELECT a.src_topic AS topic, a.src_partition AS partition, max(a.src_offset) AS last_offset,
    last_offset - min(a.src_from) + 1 - sum(a.src_offset - a.src_from + 1) AS missing, count() AS records, max(a.log_time) AS loaded
FROM audit AS a
WHERE $__timeFilter(a.log_time)
GROUP BY topic, partition
ORDER BY topic, partition
