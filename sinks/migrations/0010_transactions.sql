-- transactions: money. Grain: one row per key after merging; sum(…) always, never across currencies.
CREATE TABLE IF NOT EXISTS {database}.transactions{on_cluster}
(
    delivery_id UInt64,
    currency    LowCardinality(String),
    day         Date,
    site        LowCardinality(String),
    class       Enum8('human' = 1, 'machine' = 2, 'unknown' = 3),
    n           Int64,
    amount      Int64,                        -- minor units
    articles    Int64
)
ENGINE = {engine:SummingMergeTree((n, amount, articles))}
ORDER BY (delivery_id, currency, day, site, class)
SETTINGS {dedup}
