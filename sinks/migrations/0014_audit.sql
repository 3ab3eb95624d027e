CREATE TABLE IF NOT EXISTS {database}.audit{on_cluster}
(
    src_topic       LowCardinality(String) COMMENT 'topic id (UUID text) of tracking.events',
    src_partition   UInt16 COMMENT 'partition',
    src_from        UInt64 COMMENT 'first source offset it covers',
    src_offset      UInt64
                    COMMENT 'last source offset it covers; the largest by topic and partition is the chain''s position',
    enriched_offset UInt64 COMMENT 'in the same partition of tracking.enriched',
    log_time        DateTime64(3, 'UTC') COMMENT 'Kafka''s time of the enriched record' CODEC(Delta, ZSTD(1)),

    spool           LowCardinality(String)
                    COMMENT '32 hexadecimal digits; empty = the record had no sound pack headers',
    segment         UInt64 COMMENT 'of the spool',
    first_index     UInt64 COMMENT 'in the segment',
    last_index      UInt64 COMMENT 'in the segment',
    pack_events     UInt64 COMMENT 'as the pack''s header says',
    totals          String COMMENT 'JSON of a finished segment''s totals; empty on other packs' CODEC(ZSTD(1)),

    minute          Array(UInt64) COMMENT 'minutes since 1970 of the event ids',
    events_in       Array(UInt64) COMMENT 'events in the pack',
    out             Array(UInt64) COMMENT 'event lines in the enriched record',
    duplicate       Array(UInt64) COMMENT 'seen before',
    resent          Array(UInt64) COMMENT 'sent again by the forwarder',
    rejected        Array(UInt64) COMMENT 'refused by streams',
    relabels        Array(UInt64) COMMENT 're-labels, counted apart',
    stored          Array(UInt64) COMMENT 'event lines that became rows',
    late_duplicate  Array(UInt64) COMMENT 'below the id window and stored before',
    refused         Array(UInt64) COMMENT 'event lines the loader could not store: rows of rejects',

    event_rows      UInt32 COMMENT 'rows inserted into events, re-label pairs included',
    reject_rows     UInt32 COMMENT 'rows inserted into rejects',
    relabelled      UInt32 COMMENT 're-labels carried out',
    relabel_refused UInt32 COMMENT 're-labels that became rows of rejects (unknown_target, bad_field)'
)
ENGINE = {engine:MergeTree}
PARTITION BY toYYYYMM(log_time)
ORDER BY (src_topic, src_partition, src_offset)
SETTINGS {dedup}
COMMENT 'What became of every enriched record that was loaded: its source interval, the pack it came from, and its events by minute. in = out + duplicate + resent + rejected; out = stored + late_duplicate + refused; relabels apart. Grain: one row per enriched record. Read: the arrays run parallel; view v_audit has a row per minute.'
