-- Columns as in: rejects.
CREATE VIEW IF NOT EXISTS {database}.v_rejects{on_cluster}
(
    src_topic     LowCardinality(String),
    src_partition UInt16,
    src_offset    UInt64,
    src_index     UInt32,
    stage         Enum8('streams' = 1, 'loader' = 2),
    reason        LowCardinality(String),
    detail        String,
    events        UInt32 COMMENT 'how many events it stands for: several where a whole pack is bad',
    reject_key    String,
    original      String,
    record_time   DateTime64(3, 'UTC'),
    log_time      DateTime64(3, 'UTC')
)
AS SELECT
    src_topic, src_partition, src_offset, src_index, stage, reason, detail, count AS events, reject_key, original,
    record_time, log_time
FROM {database}.rejects AS r
COMMENT 'What could not be an event, with its original bytes. Grain: one row per reject. Read: sum(events).'
