CREATE TABLE IF NOT EXISTS {database}.erasures{on_cluster}
(
    erasure_id    UUID COMMENT 'of the request',
    recipient_key UInt64 COMMENT 'key of the recipient until it is done, then 0',
    asked         DateTime64(3, 'UTC') COMMENT 'when it was asked',
    done          Nullable(DateTime64(3, 'UTC')) COMMENT 'when it was carried out; NULL = not yet',
    detail        String COMMENT 'for people',
    updated       DateTime64(3, 'UTC') COMMENT 'when this was said'
)
ENGINE = {engine:ReplacingMergeTree(updated)}
ORDER BY erasure_id
COMMENT 'Recipients whose data was asked to be erased: the list that loaders apply to what arrives. Grain: one row per request. Read: FINAL.'
