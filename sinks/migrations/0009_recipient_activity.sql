-- recipient_activity: where a recipient's hits are, all stored ones (repeats, seeds and machines too). Grain: one row
-- per event after merging (FINAL or DISTINCT). The rest is read from events by (delivery_id, event_id).
CREATE TABLE IF NOT EXISTS {database}.recipient_activity{on_cluster}
(
    recipient_key UInt64,
    event_time    DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    delivery_id   UInt64,
    event_id      FixedString(16),
    kind          Enum8('open' = 1, 'click' = 2, 'optout' = 3, 'mirror' = 4, 'web' = 5, 'transaction' = 6),
    message_id    UInt64
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (recipient_key, event_time, delivery_id, event_id)
SETTINGS {dedup}
