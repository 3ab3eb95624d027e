-- Without the delivery's key: it says how many events are gone, not of what. A round that is repeated counts the same.
CREATE TABLE IF NOT EXISTS {database}.purged_events{on_cluster}
(
    src_topic     LowCardinality(String) COMMENT 'topic id (UUID text) of tracking.events',
    src_partition UInt16 COMMENT 'partition',
    src_offset    UInt64 COMMENT 'offset of the source record that brought the events' CODEC(Delta, ZSTD(1)),
    minute        UInt64 COMMENT 'epoch minute of the event ids' CODEC(Delta, ZSTD(1)),
    deletion_id   UUID COMMENT 'of the deletion that took them',
    events        UInt32 COMMENT 'how many',
    counted       DateTime64(3, 'UTC') COMMENT 'when'
)
ENGINE = {engine:ReplacingMergeTree(counted)}
ORDER BY (src_topic, src_partition, src_offset, minute, deletion_id)
COMMENT 'Events that were rows until their delivery was purged, so that the audit stays even. Grain: one row per source record, minute and deletion. Read: FINAL, sum(events).'
