-- url_activity: counts of hits by link. Grain: one row per key after merging; sum(n) always. Hits without a link
-- (opens) have url_id 0, so sums over the table are the delivery's totals by kind.
CREATE TABLE IF NOT EXISTS {database}.url_activity{on_cluster}
(
    delivery_id UInt64,
    kind        Enum8('open' = 1, 'click' = 2, 'optout' = 3, 'mirror' = 4, 'web' = 5, 'transaction' = 6),
    how         Enum8('' = 0, 'view' = 1, 'form' = 2, 'one_click' = 3),
    url_id      UInt32,
    position    UInt16,
    class       Enum8('human' = 1, 'machine' = 2, 'unknown' = 3),
    n           Int64
)
ENGINE = {engine:SummingMergeTree(n)}
ORDER BY (delivery_id, kind, how, url_id, position, class)
SETTINGS {dedup}
