-- stat_minute: events over time. Grain: one row per key after merging; sum(n) always. Hits as METRICS counts them,
-- and feed events of messages that are no seeds.
CREATE TABLE IF NOT EXISTS {database}.stat_minute{on_cluster}
(
    delivery_id UInt64,
    kind        Enum8('open' = 1, 'click' = 2, 'optout' = 3, 'mirror' = 4, 'web' = 5, 'transaction' = 6,
                      'prepared' = 10, 'sent' = 11, 'delivered' = 12, 'deferred' = 13, 'bounced' = 14,
                      'complained' = 15, 'rejected' = 16, 'unsubscribed' = 17),
    how         Enum8('' = 0, 'view' = 1, 'form' = 2, 'one_click' = 3),
    minute      DateTime('UTC') CODEC(Delta, ZSTD(1)),
    url_id      UInt32,
    class       Enum8('human' = 1, 'machine' = 2, 'unknown' = 3),
    n           Int64
)
ENGINE = {engine:SummingMergeTree(n)}
ORDER BY (delivery_id, kind, how, minute, url_id, class)
SETTINGS {dedup}
