-- Columns as in: events, delivery_urls.
CREATE OR REPLACE VIEW {database}.v_events{on_cluster}
(
    delivery_id    UInt64,
    delivery_name  String COMMENT 'as the registry calls the delivery; empty = not registered',
    delivery_label String COMMENT 'of the delivery, for people',
    account        LowCardinality(String),
    event_id       String COMMENT 'as on the wire: 32 hexadecimal digits, the first 12 the event time in ms',
    event_time     DateTime64(3, 'UTC'),
    kind           Enum8('open' = 1, 'click' = 2, 'optout' = 3, 'mirror' = 4, 'web' = 5, 'transaction' = 6,
                         'prepared' = 10, 'sent' = 11, 'delivered' = 12, 'deferred' = 13, 'bounced' = 14,
                         'complained' = 15, 'rejected' = 16, 'unsubscribed' = 17),
    how            Enum8('' = 0, 'view' = 1, 'form' = 2, 'one_click' = 3),
    hit            UInt8,
    people         UInt8 COMMENT '1 = a hit in the cut people (class human or unknown)',
    class          Enum8('human' = 1, 'machine' = 2, 'unknown' = 3),
    reasons        LowCardinality(String),
    ruleset        LowCardinality(String),
    relabelled     UInt16 COMMENT 'how often it was judged again',
    repeat         UInt8,
    seed           UInt8,
    late           UInt8 COMMENT '1 = came after the window of event ids',
    flood          UInt8 COMMENT '1 = one of a flood: no hit',
    foreign        UInt8 COMMENT '1 = the provider''s own tracking of a delivery we track: no hit',
    expired        UInt8 COMMENT '1 = after the delivery''s track_until: no hit',
    message_id     UInt64,
    message_name   String,
    recipient_key  Nullable(UInt64),
    recipient_name String,
    domain         LowCardinality(String),
    format         LowCardinality(String),
    reason         LowCardinality(String),
    diagnostic     String,
    attributes     Map(String, String),
    url_id         UInt32,
    position       UInt16,
    url            String,
    url_label      String COMMENT 'of the link, for people',
    url_category   LowCardinality(String) COMMENT 'of the link',
    destination    String,
    person         String COMMENT 'who acted, 32 hexadecimal digits: the visitor, else delivery and message; zeros = nobody',
    client         LowCardinality(String),
    client_version LowCardinality(String),
    os             LowCardinality(String),
    device         LowCardinality(String),
    network        LowCardinality(String),
    country        LowCardinality(String),
    address        String,
    user_agent     LowCardinality(String),
    referrer       String,
    site           LowCardinality(String),
    order_id       String,
    amount         Int64,
    currency       LowCardinality(String),
    articles       UInt32,
    page           String,
    source         LowCardinality(String),
    log_time       DateTime64(3, 'UTC')
)
AS SELECT
    e.delivery_id AS delivery_id, d.name AS delivery_name, d.label AS delivery_label, e.account AS account,
    lower(hex(e.event_id)) AS event_id, e.event_time AS event_time, e.kind AS kind, e.how AS how, e.hit AS hit,
    e.hit = 1 AND e.class != 'machine' AS people, e.class AS class, e.reasons AS reasons, e.ruleset AS ruleset,
    e.rev AS relabelled, e.repeat AS repeat, e.seed AS seed, bitTest(e.marks, 0) AS late, bitTest(e.marks, 1) AS flood,
    bitTest(e.marks, 2) AS foreign, bitTest(e.marks, 3) AS expired, e.message_id AS message_id,
    e.message_name AS message_name, e.recipient_key AS recipient_key, e.recipient_name AS recipient_name,
    e.domain AS domain, e.format AS format, e.reason AS reason, e.diagnostic AS diagnostic, e.attributes AS attributes,
    e.url_id AS url_id, e.position AS position, u.url AS url, u.label AS url_label, u.category AS url_category,
    e.destination AS destination, leftPad(lower(hex(e.person)), 32, '0') AS person, e.client AS client,
    e.client_version AS client_version, e.os AS os, e.device AS device, e.network AS network, e.country AS country,
    e.address AS address, e.user_agent AS user_agent, e.referrer AS referrer, e.site AS site, e.order_id AS order_id,
    e.amount AS amount, e.currency AS currency, e.articles AS articles, e.page AS page, e.source AS source,
    e.log_time AS log_time
FROM
(
    SELECT * FROM {database}.events FINAL
    WHERE sign = 1 AND delivery_id NOT IN (SELECT delivery_id FROM {database}.deletions FINAL WHERE state != 'restored')
) AS e
LEFT JOIN (SELECT delivery_id, name, label FROM {database}.deliveries FINAL) AS d ON d.delivery_id = e.delivery_id
LEFT JOIN (SELECT delivery_id, url_id, url, label, category FROM {database}.delivery_urls FINAL) AS u
    ON u.delivery_id = e.delivery_id AND u.url_id = e.url_id
COMMENT 'Every stored event as it is judged now, with the names of delivery and link. Grain: one row per event. Read: hits are hit = 1, hits of people are people = 1. Filter by delivery_id.'
