-- Columns as in: audit.
CREATE VIEW IF NOT EXISTS {database}.v_audit{on_cluster}
(
    minute         DateTime('UTC') COMMENT 'minute of the event ids',
    src_topic      LowCardinality(String),
    src_partition  UInt16,
    src_offset     UInt64,
    log_time       DateTime64(3, 'UTC'),
    spool          LowCardinality(String),
    segment        UInt64,
    events_in      UInt64 COMMENT 'events in the pack',
    duplicate      UInt64 COMMENT 'seen before',
    resent         UInt64 COMMENT 'sent again by the forwarder',
    rejected       UInt64 COMMENT 'refused by streams',
    out            UInt64 COMMENT 'went on to the loader: events_in less duplicate, resent and rejected',
    stored         UInt64 COMMENT 'became rows of events',
    late_duplicate UInt64 COMMENT 'below the id window and stored before',
    refused        UInt64 COMMENT 'refused by the loader: rows of rejects',
    relabels       UInt64 COMMENT 're-labels, counted apart'
)
AS SELECT
    toDateTime(of_minute.1 * 60, 'UTC') AS minute, src_topic, src_partition, src_offset, log_time, spool, segment,
    of_minute.2 AS events_in, of_minute.3 AS duplicate, of_minute.4 AS resent, of_minute.5 AS rejected, of_minute.6 AS out,
    of_minute.7 AS stored, of_minute.8 AS late_duplicate, of_minute.9 AS refused, of_minute.10 AS relabels
FROM {database}.audit AS a
ARRAY JOIN arrayZip(a.minute, a.events_in, a.duplicate, a.resent, a.rejected, a.out, a.stored, a.late_duplicate, a.refused,
    a.relabels) AS of_minute
COMMENT 'What became of the events, by minute of their ids. Grain: one row per loaded record and minute. Read: sums; events_in = out + duplicate + resent + rejected, out = stored + late_duplicate + refused.'
