-- audit: one row per enriched record that was loaded: its source interval, the pack it came from, and what became of
-- the pack's events by minute (epoch minutes of the event ids). The arrays run parallel.
-- in = out + duplicate + resent + rejected;  out = stored + late_duplicate + refused;  relabels apart.
-- max(src_offset) by topic and partition is the chain's position.
CREATE TABLE IF NOT EXISTS {database}.audit{on_cluster}
(
    src_topic       LowCardinality(String),   -- topic id (UUID text) of tracking.events
    src_partition   UInt16,
    src_from        UInt64,
    src_offset      UInt64,
    enriched_offset UInt64,                   -- in the same partition of tracking.enriched
    log_time        DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),

    spool           LowCardinality(String),   -- 32 hexadecimal digits; '' = the record had no sound pack headers
    segment         UInt64,
    first_index     UInt64,
    last_index      UInt64,
    pack_events     UInt64,                   -- as the pack's header says
    totals          String CODEC(ZSTD(1)),    -- JSON of a finished segment's totals, '' on other packs

    minute          Array(UInt64),
    events_in       Array(UInt64),
    out             Array(UInt64),
    duplicate       Array(UInt64),
    resent          Array(UInt64),
    rejected        Array(UInt64),
    relabels        Array(UInt64),
    stored          Array(UInt64),            -- event lines that became rows
    late_duplicate  Array(UInt64),            -- below the id window and stored before
    refused         Array(UInt64),            -- event lines the loader could not store: rows of rejects

    event_rows      UInt32,                   -- rows inserted into events, re-label pairs included
    reject_rows     UInt32,                   -- rows inserted into rejects
    relabelled      UInt32,                   -- re-labels carried out
    relabel_refused UInt32                    -- re-labels that became rows of rejects (unknown_target, bad_field)
)
ENGINE = {engine:MergeTree}
PARTITION BY toYYYYMM(log_time)
ORDER BY (src_topic, src_partition, src_offset)
SETTINGS {dedup}
