-- Feed events are never re-labelled, so max and or are safe. The view messages unpacks kinds and last.
CREATE TABLE IF NOT EXISTS {database}.message_state{on_cluster}
(
    delivery_id    UInt64 COMMENT 'key of the delivery',
    message_id     UInt64 COMMENT 'key of the message: one delivery to one recipient',
    recipient_key  SimpleAggregateFunction(max, Nullable(UInt64)) COMMENT 'key of the recipient; NULL = not told',
    recipient_name SimpleAggregateFunction(max, String) COMMENT 'as the sender calls the recipient' CODEC(ZSTD(1)),
    message_name   SimpleAggregateFunction(max, String) COMMENT 'as the sender calls the message' CODEC(ZSTD(1)),
    domain         SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'of the recipient''s address',
    format         SimpleAggregateFunction(max, LowCardinality(String)) COMMENT 'html, text or multipart',
    seed           SimpleAggregateFunction(max, UInt8) COMMENT '1 = a seed or a proof: not counted',
    kinds          SimpleAggregateFunction(groupBitOr, UInt8)
                   COMMENT 'feed kinds seen, bits: 1 prepared, 2 sent, 4 delivered, 8 deferred, 16 bounced, 32 complained, 64 rejected, 128 unsubscribed',
    last           SimpleAggregateFunction(max, UInt64)
                   COMMENT 'final * 2^56 + time_ms * 2^8 + state * 2^4 + reason; 0 = none. States: 1 sent, 2 deferred, 3 bounced_soft, 4 bounced_hard, 5 rejected, 6 delivered; final from 3 on. Reasons: 1 unknown_user, 2 invalid_domain, 3 refused, 4 mailbox_full, 5 unreachable, 6 policy, 7 spam, 8 other',
    attributes     SimpleAggregateFunction(max, Map(String, String)) COMMENT 'the sender''s own' CODEC(ZSTD(1)),
    INDEX by_recipient recipient_key TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = {engine:AggregatingMergeTree}
ORDER BY (delivery_id, message_id)
SETTINGS {dedup}
COMMENT 'What the feed says of a message. Grain: one row per delivery and message once merged. Read: view v_messages, or FINAL. Feed events are never re-labelled, so max and or are safe.'
