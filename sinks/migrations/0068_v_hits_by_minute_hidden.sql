-- Columns as in: stat_minute.
CREATE OR REPLACE VIEW {database}.v_hits_by_minute{on_cluster}
(
    delivery_id UInt64,
    kind        Enum8('open' = 1, 'click' = 2, 'optout' = 3, 'mirror' = 4, 'web' = 5, 'transaction' = 6),
    how         Enum8('' = 0, 'view' = 1, 'form' = 2, 'one_click' = 3),
    minute      DateTime('UTC'),
    hits        Int64 COMMENT 'hits in that minute',
    hits_people Int64 COMMENT 'hits in that minute, people only'
)
AS SELECT delivery_id, kind, how, minute, sum(n) AS hits, sumIf(n, class != 'machine') AS hits_people
FROM {database}.stat_minute
WHERE kind <= 'transaction'
    AND delivery_id NOT IN (SELECT delivery_id FROM {database}.deletions FINAL WHERE state != 'restored')
GROUP BY delivery_id, kind, how, minute
HAVING hits != 0
COMMENT 'Hits over time. Grain: one row per delivery, kind, how and minute that has any.'
