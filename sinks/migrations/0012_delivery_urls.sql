-- delivery_urls: the links of a delivery as its template has them. Grain: one row per link (FINAL).
CREATE TABLE IF NOT EXISTS {database}.delivery_urls{on_cluster}
(
    delivery_id UInt64,
    url_id      UInt32,
    url         String CODEC(ZSTD(1)),
    label       String,
    category    LowCardinality(String),
    mode        LowCardinality(String),       -- tracked, not_tracked, always, never, optout, mirror
    updated     DateTime64(3, 'UTC')
)
ENGINE = {engine:ReplacingMergeTree(updated)}
ORDER BY (delivery_id, url_id)
