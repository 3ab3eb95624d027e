-- rejects: what could not be an event, with its original bytes. Grain: one row per reject; `count` is how many events
-- it stands for (a whole bad pack).
CREATE TABLE IF NOT EXISTS {database}.rejects{on_cluster}
(
    src_topic     LowCardinality(String),
    src_partition UInt16,
    src_offset    UInt64 CODEC(Delta, ZSTD(1)),
    src_index     UInt32,
    stage         Enum8('streams' = 1, 'loader' = 2),       -- who refused it
    reject_key    String,                                   -- the event id of a replay
    reason        LowCardinality(String),
    detail        String CODEC(ZSTD(1)),
    original      String CODEC(ZSTD(1)),
    record_time   DateTime64(3, 'UTC'),                     -- of the source record
    count         UInt32,
    log_time      DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = {engine:MergeTree}
PARTITION BY toYYYYMM(log_time)
ORDER BY (src_topic, src_partition, src_offset, src_index)
SETTINGS {dedup}
