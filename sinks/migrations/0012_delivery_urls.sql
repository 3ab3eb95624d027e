CREATE TABLE IF NOT EXISTS {database}.delivery_urls{on_cluster}
(
    delivery_id UInt64 COMMENT 'key of the delivery',
    url_id      UInt32 COMMENT 'number of the link in the delivery',
    url         String COMMENT 'as in the template' CODEC(ZSTD(1)),
    label       String COMMENT 'for people',
    category    LowCardinality(String) COMMENT 'the sender''s own; a social network''s name makes clicks shares',
    mode        LowCardinality(String) COMMENT 'tracked, not_tracked, always, never, optout, mirror',
    updated     DateTime64(3, 'UTC') COMMENT 'when this was said'
)
ENGINE = {engine:ReplacingMergeTree(updated)}
ORDER BY (delivery_id, url_id)
COMMENT 'The links of a delivery as its template has them. Grain: one row per link. Read: FINAL.'
