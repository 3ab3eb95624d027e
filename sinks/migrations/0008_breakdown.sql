-- breakdown: counts by one dimension at a time. Grain: one row per key after merging; sum(n) always.
-- dim: client, version (client and version), os, device, network, country, reason (of the class), ruleset: hits;
-- bounce (reason): bounced, rejected and deferred feed events.
CREATE TABLE IF NOT EXISTS {database}.breakdown{on_cluster}
(
    delivery_id UInt64,
    kind        Enum8('open' = 1, 'click' = 2, 'optout' = 3, 'mirror' = 4, 'web' = 5, 'transaction' = 6,
                      'prepared' = 10, 'sent' = 11, 'delivered' = 12, 'deferred' = 13, 'bounced' = 14,
                      'complained' = 15, 'rejected' = 16, 'unsubscribed' = 17),
    dim         LowCardinality(String),
    day         Date,
    class       Enum8('human' = 1, 'machine' = 2, 'unknown' = 3),
    value       String,                       -- '' = unknown
    n           Int64
)
ENGINE = {engine:SummingMergeTree(n)}
ORDER BY (delivery_id, kind, dim, day, class, value)
SETTINGS {dedup}
