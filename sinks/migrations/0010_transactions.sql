CREATE TABLE IF NOT EXISTS {database}.transactions{on_cluster}
(
    delivery_id UInt64 COMMENT 'key of the delivery',
    currency    LowCardinality(String) COMMENT 'ISO 4217',
    day         Date COMMENT 'UTC',
    site        LowCardinality(String) COMMENT 'name of the site',
    class       Enum8('human' = 1, 'machine' = 2, 'unknown' = 3)
                COMMENT 'who acted: human, machine or unknown; people = human and unknown',
    n           Int64 COMMENT 'transactions, to be summed',
    amount      Int64 COMMENT 'minor units of currency, to be summed',
    articles    Int64 COMMENT 'pieces, to be summed'
)
ENGINE = {engine:SummingMergeTree((n, amount, articles))}
ORDER BY (delivery_id, currency, day, site, class)
SETTINGS {dedup}
COMMENT 'Money. Grain: one row per key once merged. Read: sum(n), sum(amount), sum(articles), never across currencies.'
