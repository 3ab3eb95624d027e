CREATE TABLE IF NOT EXISTS {database}.url_activity{on_cluster}
(
    delivery_id UInt64 COMMENT 'key of the delivery',
    kind        Enum8('open' = 1, 'click' = 2, 'optout' = 3, 'mirror' = 4, 'web' = 5, 'transaction' = 6)
                COMMENT 'what happened: open, click, optout (page shown or confirmed), mirror, web, transaction',
    how         Enum8('' = 0, 'view' = 1, 'form' = 2, 'one_click' = 3)
                COMMENT 'of an opt-out: view (page shown), form or one_click (confirmed); else empty',
    url_id      UInt32 COMMENT 'of the link; 0 = none',
    position    UInt16 COMMENT 'of the link in the message: 1-32767 in HTML, 32768 + n in text, 0 = none',
    class       Enum8('human' = 1, 'machine' = 2, 'unknown' = 3)
                COMMENT 'who acted: human, machine or unknown; people = human and unknown',
    n           Int64 COMMENT 'hits, to be summed'
)
ENGINE = {engine:SummingMergeTree(n)}
ORDER BY (delivery_id, kind, how, url_id, position, class)
SETTINGS {dedup}
COMMENT 'Counts of hits by link. Grain: one row per key once merged. Read: sum(n), always. Hits without a link have url_id 0, so sums over the table are the delivery''s totals by kind.'
