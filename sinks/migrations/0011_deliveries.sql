CREATE TABLE IF NOT EXISTS {database}.deliveries{on_cluster}
(
    delivery_id  UInt64 COMMENT 'key of the delivery',
    account      LowCardinality(String) COMMENT 'empty = the default account',
    name         String COMMENT 'as the sender calls it; empty until it is registered',
    label        String COMMENT 'for people',
    code         String COMMENT 'the sender''s own',
    campaign     LowCardinality(String) COMMENT 'the sender''s own',
    channel      LowCardinality(String) COMMENT 'email, sms …',
    type         LowCardinality(String) COMMENT 'newsletter, proof …',
    category     LowCardinality(String) COMMENT 'the sender''s own',
    tags         Array(LowCardinality(String)) COMMENT 'the sender''s own',
    sender       LowCardinality(String) COMMENT 'from whom',
    subject      String COMMENT 'of the message',
    contact_date Nullable(DateTime64(3, 'UTC')) COMMENT 'when it starts; NULL = not given',
    status       LowCardinality(String) COMMENT 'draft, sending, finished; empty = to be derived',
    targeted     Nullable(UInt64) COMMENT 'recipients before exclusions; NULL = not given',
    excluded     Map(String, UInt64) COMMENT 'recipients by cause',
    to_deliver   Nullable(UInt64) COMMENT 'messages to deliver; NULL = not given',
    success      Nullable(UInt64) COMMENT 'messages sent, as the sender counts; NULL = not given',
    track_until  Nullable(DateTime64(3, 'UTC')) COMMENT 'hits after it are not counted; NULL = no end',
    updated      DateTime64(3, 'UTC') COMMENT 'when this was said'
)
ENGINE = {engine:ReplacingMergeTree(updated)}
ORDER BY delivery_id
COMMENT 'What the sender says of a delivery, from tracking.deliveries. Grain: one row per delivery. Read: FINAL, or view v_deliveries.'
