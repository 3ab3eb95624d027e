CREATE TABLE IF NOT EXISTS {database}.recipient_activity{on_cluster}
(
    recipient_key UInt64 COMMENT 'key of the recipient',
    event_time    DateTime64(3, 'UTC') COMMENT 'when' CODEC(Delta, ZSTD(1)),
    delivery_id   UInt64 COMMENT 'key of the delivery',
    event_id      FixedString(16) COMMENT 'as in events',
    kind          Enum8('open' = 1, 'click' = 2, 'optout' = 3, 'mirror' = 4, 'web' = 5, 'transaction' = 6)
                  COMMENT 'what happened: open, click, optout (page shown or confirmed), mirror, web, transaction',
    message_id    UInt64 COMMENT 'key of the message: one delivery to one recipient'
)
ENGINE = {engine:ReplacingMergeTree}
ORDER BY (recipient_key, event_time, delivery_id, event_id)
SETTINGS {dedup}
COMMENT 'Where a recipient''s hits are, all stored ones (repeats, seeds and machines too). Grain: one row per event once merged. Read: FINAL, then events by delivery_id and event_id; or view v_recipient_activity.'
