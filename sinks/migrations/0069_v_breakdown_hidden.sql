-- Columns as in: breakdown.
CREATE OR REPLACE VIEW {database}.v_breakdown{on_cluster}
(
    delivery_id   UInt64,
    kind          Enum8('open' = 1, 'click' = 2, 'optout' = 3, 'mirror' = 4, 'web' = 5, 'transaction' = 6,
                        'prepared' = 10, 'sent' = 11, 'delivered' = 12, 'deferred' = 13, 'bounced' = 14,
                        'complained' = 15, 'rejected' = 16, 'unsubscribed' = 17),
    dim           LowCardinality(String),
    day           Date,
    value         String,
    events        Int64 COMMENT 'hits; of dim bounce: feed events',
    events_people Int64 COMMENT 'hits, people only; of dim bounce: feed events'
)
AS SELECT delivery_id, kind, dim, day, value, sum(n) AS events, sumIf(n, class != 'machine') AS events_people
FROM {database}.breakdown
WHERE delivery_id NOT IN (SELECT delivery_id FROM {database}.deletions FINAL WHERE state != 'restored')
GROUP BY delivery_id, kind, dim, day, value
HAVING events != 0
COMMENT 'Hits by client, version, os, device, network, country, reason and ruleset, and bounces by reason, one dimension at a time. Grain: one row per delivery, kind, dim, day and value. Read: always one dim; a hit with several reasons is in several rows of dim reason.'
