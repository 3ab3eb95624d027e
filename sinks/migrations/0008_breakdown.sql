CREATE TABLE IF NOT EXISTS {database}.breakdown{on_cluster}
(
    delivery_id UInt64 COMMENT 'key of the delivery',
    kind        Enum8('open' = 1, 'click' = 2, 'optout' = 3, 'mirror' = 4, 'web' = 5, 'transaction' = 6,
                      'prepared' = 10, 'sent' = 11, 'delivered' = 12, 'deferred' = 13, 'bounced' = 14,
                      'complained' = 15, 'rejected' = 16, 'unsubscribed' = 17)
                COMMENT 'what happened: open, click, optout (page shown or confirmed), mirror, web, transaction; feed: prepared, sent, delivered, deferred, bounced, complained, rejected, unsubscribed',
    dim         LowCardinality(String)
                COMMENT 'of hits: client, version (client and version), os, device, network, country, reason (of the class), ruleset; of bounced, rejected and deferred feed events: bounce (reason)',
    day         Date COMMENT 'UTC',
    class       Enum8('human' = 1, 'machine' = 2, 'unknown' = 3)
                COMMENT 'who acted: human, machine or unknown; people = human and unknown',
    value       String COMMENT 'in that dimension; empty = unknown',
    n           Int64 COMMENT 'events, to be summed'
)
ENGINE = {engine:SummingMergeTree(n)}
ORDER BY (delivery_id, kind, dim, day, class, value)
SETTINGS {dedup}
COMMENT 'Counts by one dimension at a time. Grain: one row per key once merged. Read: sum(n) of one dim, always.'
