-- events: every stored event. Grain: one row per event and revision; the live row of an event is the one with the
-- highest rev, and sum(sign) over an event is 1. A re-label adds -1 of the live row and +1 with the new judgement and
-- rev + 1 (FORMATS, Relabel in the loader); merges take equal (key, rev) pairs away.
-- Read: sum(sign) for counts, FINAL (of one delivery) for rows.
CREATE TABLE IF NOT EXISTS {database}.events{on_cluster}
(
    delivery_id       UInt64,
    event_id          FixedString(16),              -- 48 bits of event time in ms, then 80 bits; hex() is the id of the wire
    rev               UInt16,                       -- 0, then one more per re-label
    sign              Int8,
    kind              Enum8('open' = 1, 'click' = 2, 'optout' = 3, 'mirror' = 4, 'web' = 5, 'transaction' = 6,
                            'prepared' = 10, 'sent' = 11, 'delivered' = 12, 'deferred' = 13, 'bounced' = 14,
                            'complained' = 15, 'rejected' = 16, 'unsubscribed' = 17),   -- hits below 10, feed above
    event_time        DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    message_id        UInt64,
    recipient_key     Nullable(UInt64),             -- NULL = unknown; 0 is a valid key
    account           LowCardinality(String),
    source            LowCardinality(String),       -- edge, api, relay, a provider's adapter, tool

    -- how it was judged: all that a re-label may change
    hit               UInt8,                        -- 1 = counts as a hit (METRICS): not repeat, seed, proof, flood, foreign, expired
    class             Enum8('human' = 1, 'machine' = 2, 'unknown' = 3),
    repeat            UInt8,
    reasons           LowCardinality(String),       -- why that class; names in order, comma between
    ruleset           LowCardinality(String),
    run               LowCardinality(String),       -- the run of the re-label that made this row
    history           Array(Tuple(src_topic String, src_offset UInt64, src_index UInt32, class Int8, hit UInt8,
                                  repeat UInt8, reasons String, ruleset String, run String)),  -- earlier revs, oldest first

    marks             UInt8,                        -- bits: 1 late, 2 flood, 4 foreign, 8 expired
    seed              UInt8,                        -- a seed or a proof (link_flags 1 or 2)
    link_flags        UInt8,                        -- bits: 1 seed, 2 proof, 4 honeypot, 8 no cookie, 16 no recipient
    url_id            UInt32,                       -- 0 where there is none
    position          UInt16,                       -- 1-32767 in HTML, 32768 + n in text, 0 none
    destination       String CODEC(ZSTD(1)),        -- as followed
    how               Enum8('' = 0, 'view' = 1, 'form' = 2, 'one_click' = 3),          -- of an opt-out
    person            UInt128,                      -- who acted: the visitor, else delivery and message; 0 = nobody
    visitor           UInt128,                      -- id of the cookie, 0 = none
    visitor_is_new    UInt8,

    -- what the rules saw
    user_agent        LowCardinality(String),
    address           String CODEC(ZSTD(1)),        -- of the client, as text
    referrer          String CODEC(ZSTD(1)),
    hints             Array(LowCardinality(String)),          -- of the request: head, prefetch, gpc, proxy
    provider_hints    Array(LowCardinality(String)),
    provider_event_id String CODEC(ZSTD(1)),
    client            LowCardinality(String),
    client_version    LowCardinality(String),
    os                LowCardinality(String),
    device            LowCardinality(String),
    network           LowCardinality(String),
    country           LowCardinality(String),

    -- feed
    delivery_name     LowCardinality(String),
    message_name      String CODEC(ZSTD(1)),
    recipient_name    String CODEC(ZSTD(1)),
    domain            LowCardinality(String),
    format            LowCardinality(String),       -- html, text, multipart
    reason            LowCardinality(String),       -- of a bounce, deferral or refusal
    diagnostic        String CODEC(ZSTD(1)),
    attributes        Map(String, String),          -- the sender's own, on prepared or sent

    -- web
    site              LowCardinality(String),
    order_id          String CODEC(ZSTD(1)),
    amount            Int64,                        -- minor units of currency
    currency          LowCardinality(String),
    articles          UInt32,
    page              String CODEC(ZSTD(1)),

    -- where it came from; of a -1 or a re-labelled row, where the re-label did
    src_topic         LowCardinality(String),       -- topic id (UUID text) of tracking.events
    src_partition     UInt16,
    src_offset        UInt64 CODEC(Delta, ZSTD(1)),
    src_index         UInt32,                       -- in the source record
    segment_index     UInt32,                       -- in the spool segment
    log_time          DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),                      -- Kafka's time of the enriched record

    INDEX by_message message_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_src_offset src_offset TYPE minmax GRANULARITY 1
)
ENGINE = {engine:VersionedCollapsingMergeTree(sign, rev)}
PARTITION BY toYYYYMM(event_time)
ORDER BY (delivery_id, event_id)
SETTINGS {dedup}
