-- deliveries: what the sender says of a delivery, from tracking.deliveries. Grain: one row per delivery (FINAL).
CREATE TABLE IF NOT EXISTS {database}.deliveries{on_cluster}
(
    delivery_id  UInt64,
    account      LowCardinality(String),
    name         String,                      -- as the sender calls it; '' until it is registered
    label        String,
    code         String,
    campaign     LowCardinality(String),
    channel      LowCardinality(String),
    type         LowCardinality(String),
    category     LowCardinality(String),
    tags         Array(LowCardinality(String)),
    sender       LowCardinality(String),
    subject      String,
    contact_date Nullable(DateTime64(3, 'UTC')),
    status       LowCardinality(String),      -- draft, sending, finished; '' = to be derived
    targeted     Nullable(UInt64),
    excluded     Map(String, UInt64),         -- by cause
    to_deliver   Nullable(UInt64),
    success      Nullable(UInt64),
    track_until  Nullable(DateTime64(3, 'UTC')),
    updated      DateTime64(3, 'UTC')
)
ENGINE = {engine:ReplacingMergeTree(updated)}
ORDER BY delivery_id
