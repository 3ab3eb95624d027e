CREATE TABLE IF NOT EXISTS {database}.consents{on_cluster}
(
    recipient_key  UInt64 COMMENT 'key of the recipient',
    purpose        LowCardinality(String) COMMENT 'what it is about; tracking decides whether hits name a person',
    time           DateTime64(3, 'UTC') COMMENT 'when the recipient said so',
    state          Enum8('granted' = 1, 'withdrawn' = 2) COMMENT 'granted or withdrawn',
    account        LowCardinality(String) COMMENT 'empty = the default account',
    recipient_name String COMMENT 'as the sender calls the recipient' CODEC(ZSTD(1)),
    received       DateTime64(3, 'UTC') COMMENT 'when the API took it'
)
ENGINE = {engine:ReplacingMergeTree(received)}
ORDER BY (recipient_key, purpose, time, state)
COMMENT 'What recipients allow and allow no more, from tracking.consents. Grain: one row per recipient, purpose, time and state, none ever taken back. Read: FINAL; what holds is argMax(state, (time, state)) by recipient and purpose.'
