CREATE TABLE IF NOT EXISTS {database}.delivery_contents{on_cluster}
(
    delivery_id UInt64 COMMENT 'key of the delivery',
    part        LowCardinality(String) COMMENT 'html or text',
    content     String COMMENT 'as in the template: tracked links name their position and are not signed; empty = no such part' CODEC(ZSTD(3)),
    updated     DateTime64(3, 'UTC') COMMENT 'when this was said'
)
ENGINE = {engine:ReplacingMergeTree(updated)}
ORDER BY (delivery_id, part)
COMMENT 'The message of a delivery as its template has it, from tracking.contents. Grain: one row per part. Read: FINAL, of one delivery.'
