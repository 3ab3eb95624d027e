-- A re-label adds -1 of the live row and +1 with the new judgement and rev + 1 (FORMATS, Relabel in the loader); merges
-- take equal (key, rev) pairs away. Kinds below 10 are hits, above are of the feed.
CREATE TABLE IF NOT EXISTS {database}.events{on_cluster}
(
    delivery_id       UInt64 COMMENT 'key of the delivery',
    event_id          FixedString(16)
                      COMMENT '48 bits of event time in ms, then 80 bits; lower(hex(event_id)) is the id on the wire',
    rev               UInt16 COMMENT '0, then one more per re-label',
    sign              Int8 COMMENT '1, or -1: takes back an earlier judgement',
    kind              Enum8('open' = 1, 'click' = 2, 'optout' = 3, 'mirror' = 4, 'web' = 5, 'transaction' = 6,
                            'prepared' = 10, 'sent' = 11, 'delivered' = 12, 'deferred' = 13, 'bounced' = 14,
                            'complained' = 15, 'rejected' = 16, 'unsubscribed' = 17)
                      COMMENT 'what happened: open, click, optout (page shown or confirmed), mirror, web, transaction; feed: prepared, sent, delivered, deferred, bounced, complained, rejected, unsubscribed',
    event_time        DateTime64(3, 'UTC') COMMENT 'when it happened, as told by edge or feed' CODEC(Delta, ZSTD(1)),
    message_id        UInt64 COMMENT 'key of the message: one delivery to one recipient',
    recipient_key     Nullable(UInt64) COMMENT 'key of the recipient; NULL = unknown, 0 is a valid key',
    account           LowCardinality(String) COMMENT 'of the delivery; empty = the default account',
    source            LowCardinality(String) COMMENT 'edge, api, relay, a provider''s adapter, tool',

    -- how it was judged: all that a re-label may change
    hit               UInt8 COMMENT '1 = counts as a hit: not repeat, seed, proof, flood, foreign or expired',
    class             Enum8('human' = 1, 'machine' = 2, 'unknown' = 3)
                      COMMENT 'who acted: human, machine or unknown; people = human and unknown',
    repeat            UInt8 COMMENT '1 = an open close to the last counted one of the same message, client and class',
    reasons           LowCardinality(String) COMMENT 'why that class; names in order, comma between',
    ruleset           LowCardinality(String) COMMENT 'version of the rules that judged',
    run               LowCardinality(String) COMMENT 'the run of the re-label that made this row; empty = none',
    history           Array(Tuple(src_topic String, src_offset UInt64, src_index UInt32, class Int8, hit UInt8,
                                  repeat UInt8, reasons String, ruleset String, run String))
                      COMMENT 'earlier judgements, oldest first; class 1 human, 2 machine, 3 unknown',

    marks             UInt8 COMMENT 'bits: 1 late, 2 flood, 4 foreign, 8 expired',
    seed              UInt8 COMMENT '1 = of a seed or a proof',
    link_flags        UInt8 COMMENT 'bits: 1 seed, 2 proof, 4 honeypot, 8 no cookie, 16 no recipient',
    url_id            UInt32 COMMENT 'of the link as the template has it; 0 = none',
    position          UInt16 COMMENT 'of the link in the message: 1-32767 in HTML, 32768 + n in text, 0 = none',
    destination       String COMMENT 'the URL as followed' CODEC(ZSTD(1)),
    how               Enum8('' = 0, 'view' = 1, 'form' = 2, 'one_click' = 3)
                      COMMENT 'of an opt-out: view (page shown), form or one_click (confirmed); else empty',
    person            UInt128 COMMENT 'who acted: the visitor, else delivery and message; 0 = nobody',
    visitor           UInt128 COMMENT 'id of the cookie; 0 = none',
    visitor_is_new    UInt8 COMMENT '1 = the cookie was offered with this answer',

    -- what the rules saw
    user_agent        LowCardinality(String) COMMENT 'as sent',
    address           String COMMENT 'of the client, as text; by setting loader.addresses its first 24 or 48 bits, the rest 0 (default), whole, a keyed hash, or empty' CODEC(ZSTD(1)),
    referrer          String COMMENT 'as sent' CODEC(ZSTD(1)),
    hints             Array(LowCardinality(String)) COMMENT 'of the request: head, prefetch, gpc, proxy, flood; bad_id: a site sent an id whose signature does not hold',
    provider_hints    Array(LowCardinality(String)) COMMENT 'what the provider''s feed says of the hit',
    provider_event_id String COMMENT 'the provider''s own id' CODEC(ZSTD(1)),
    client            LowCardinality(String) COMMENT 'name of mail client or browser; empty = unknown',
    client_version    LowCardinality(String) COMMENT 'its version',
    os                LowCardinality(String) COMMENT 'operating system; empty = unknown',
    device            LowCardinality(String) COMMENT 'phone, tablet, desktop …; empty = unknown',
    network           LowCardinality(String) COMMENT 'who owns the address; empty = unknown',
    country           LowCardinality(String) COMMENT 'of the address, two letters; empty = unknown',

    -- feed
    delivery_name     LowCardinality(String) COMMENT 'as the feed calls the delivery',
    message_name      String COMMENT 'as the feed calls the message' CODEC(ZSTD(1)),
    recipient_name    String COMMENT 'as the feed calls the recipient' CODEC(ZSTD(1)),
    domain            LowCardinality(String) COMMENT 'of the recipient''s address',
    format            LowCardinality(String) COMMENT 'html, text or multipart',
    reason            LowCardinality(String) COMMENT 'of a bounce, deferral or refusal',
    diagnostic        String COMMENT 'the other side''s own words' CODEC(ZSTD(1)),
    attributes        Map(String, String) COMMENT 'the sender''s own, on prepared or sent; of visits and transactions what the site adds',

    -- web
    site              LowCardinality(String) COMMENT 'name of the site',
    order_id          String COMMENT 'of a transaction' CODEC(ZSTD(1)),
    amount            Int64 COMMENT 'minor units of currency',
    currency          LowCardinality(String) COMMENT 'ISO 4217; empty = none',
    articles          UInt32 COMMENT 'pieces',
    page              String COMMENT 'path or name of the page' CODEC(ZSTD(1)),

    -- where it came from; of a -1 or a re-labelled row, where the re-label did
    src_topic         LowCardinality(String)
                      COMMENT 'topic id (UUID text) of tracking.events; of a -1 or a re-labelled row, where the re-label came from, like the next three',
    src_partition     UInt16 COMMENT 'partition',
    src_offset        UInt64 COMMENT 'offset of the source record' CODEC(Delta, ZSTD(1)),
    src_index         UInt32 COMMENT 'in the source record',
    segment_index     UInt32 COMMENT 'in the spool segment',
    log_time          DateTime64(3, 'UTC') COMMENT 'Kafka''s time of the enriched record' CODEC(Delta, ZSTD(1)),

    INDEX by_message message_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_src_offset src_offset TYPE minmax GRANULARITY 1
)
ENGINE = {engine:VersionedCollapsingMergeTree(sign, rev)}
PARTITION BY toYYYYMM(event_time)
ORDER BY (delivery_id, event_id)
SETTINGS {dedup}
COMMENT 'Every stored event. Grain: one row per event and revision; the live row is the one with the highest rev, and sum(sign) over an event is 1. Read: sum(sign) for counts, FINAL with a delivery_id for rows; or view v_events.'
