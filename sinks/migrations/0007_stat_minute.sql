CREATE TABLE IF NOT EXISTS {database}.stat_minute{on_cluster}
(
    delivery_id UInt64 COMMENT 'key of the delivery',
    kind        Enum8('open' = 1, 'click' = 2, 'optout' = 3, 'mirror' = 4, 'web' = 5, 'transaction' = 6,
                      'prepared' = 10, 'sent' = 11, 'delivered' = 12, 'deferred' = 13, 'bounced' = 14,
                      'complained' = 15, 'rejected' = 16, 'unsubscribed' = 17)
                COMMENT 'what happened: open, click, optout (page shown or confirmed), mirror, web, transaction; feed: prepared, sent, delivered, deferred, bounced, complained, rejected, unsubscribed',
    how         Enum8('' = 0, 'view' = 1, 'form' = 2, 'one_click' = 3)
                COMMENT 'of an opt-out: view (page shown), form or one_click (confirmed); else empty',
    minute      DateTime('UTC') COMMENT 'start of the minute of the event time, UTC' CODEC(Delta, ZSTD(1)),
    url_id      UInt32 COMMENT 'of the link; 0 = none',
    class       Enum8('human' = 1, 'machine' = 2, 'unknown' = 3)
                COMMENT 'who acted: human, machine or unknown; people = human and unknown',
    n           Int64 COMMENT 'events, to be summed'
)
ENGINE = {engine:SummingMergeTree(n)}
ORDER BY (delivery_id, kind, how, minute, url_id, class)
SETTINGS {dedup}
COMMENT 'Events over time: hits, and feed events of messages that are no seeds. Grain: one row per key once merged. Read: sum(n), always.'
