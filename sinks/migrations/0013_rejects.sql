CREATE TABLE IF NOT EXISTS {database}.rejects{on_cluster}
(
    src_topic     LowCardinality(String) COMMENT 'topic id (UUID text) of tracking.events',
    src_partition UInt16 COMMENT 'partition',
    src_offset    UInt64 COMMENT 'offset of the source record' CODEC(Delta, ZSTD(1)),
    src_index     UInt32 COMMENT 'in the source record',
    stage         Enum8('streams' = 1, 'loader' = 2) COMMENT 'who refused it: streams or loader',
    reject_key    String COMMENT 'the event id of a replay',
    reason        LowCardinality(String) COMMENT 'from a closed list',
    detail        String COMMENT 'for people' CODEC(ZSTD(1)),
    original      String COMMENT 'the bytes as they came, addresses in full' CODEC(ZSTD(1)),
    record_time   DateTime64(3, 'UTC') COMMENT 'of the source record',
    count         UInt32 COMMENT 'events it stands for',
    log_time      DateTime64(3, 'UTC') COMMENT 'Kafka''s time of the enriched record' CODEC(Delta, ZSTD(1))
)
ENGINE = {engine:MergeTree}
PARTITION BY toYYYYMM(log_time)
ORDER BY (src_topic, src_partition, src_offset, src_index)
SETTINGS {dedup}
COMMENT 'What could not be an event, with its original bytes. Grain: one row per reject; count is how many events it stands for (a whole bad pack). Read: sum(count).'
