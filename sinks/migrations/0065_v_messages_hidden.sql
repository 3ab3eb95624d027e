-- Columns as in: message_state.
CREATE OR REPLACE VIEW {database}.v_messages{on_cluster}
(
    delivery_id        UInt64,
    message_id         UInt64,
    recipient_key      Nullable(UInt64) COMMENT 'key of the recipient, from the feed or else from a link; NULL = unknown',
    recipient_name     String,
    message_name       String,
    domain             LowCardinality(String),
    format             LowCardinality(String),
    seed               UInt8,
    state              String COMMENT 'sent, deferred, bounced_soft, bounced_hard, rejected or delivered; empty = the feed has told none',
    reason             String COMMENT 'of a deferral, bounce or refusal: unknown_user, invalid_domain, refused, mailbox_full, unreachable, policy, spam, other',
    state_time         Nullable(DateTime64(3, 'UTC')) COMMENT 'when it got into that state',
    in_feed            UInt8 COMMENT '1 = the feed has an event of it',
    complained         UInt8 COMMENT '1 = with a complaint',
    unsubscribed       UInt8 COMMENT '1 = the feed says so, or an opt-out was confirmed, by whomever',
    opened             UInt8 COMMENT '1 = it has a hit that proves an open (any but a one-click unsubscribe)',
    opened_people      UInt8 COMMENT '1 = it has such a hit, people only',
    hits               Int64 COMMENT 'all hits',
    hits_people        Int64 COMMENT 'all hits, people only',
    opens              Int64 COMMENT 'open hits',
    opens_people       Int64 COMMENT 'open hits, people only',
    clicks             Int64 COMMENT 'click hits',
    clicks_people      Int64 COMMENT 'click hits, people only',
    opt_outs           Int64 COMMENT 'confirmed opt-outs: form or one-click',
    opt_outs_people    Int64 COMMENT 'confirmed opt-outs, people only',
    mirror             Int64 COMMENT 'views of the mirror page',
    mirror_people      Int64 COMMENT 'views of the mirror page, people only',
    visits             Int64 COMMENT 'web and transaction hits',
    visits_people      Int64 COMMENT 'web and transaction hits, people only',
    transactions       Int64 COMMENT 'transaction hits',
    transactions_people Int64 COMMENT 'transaction hits, people only',
    attributes         Map(String, String)
)
AS SELECT
    delivery_id, message_id,
    max(told_recipient) AS recipient_key,
    max(told_recipient_name) AS recipient_name, max(told_message_name) AS message_name, max(told_domain) AS domain,
    max(told_format) AS format, max(told_seed) AS seed,
    ['', 'sent', 'deferred', 'bounced_soft', 'bounced_hard', 'rejected', 'delivered']
        [bitAnd(bitShiftRight(max(last), 4), 15) + 1] AS state,
    ['', 'unknown_user', 'invalid_domain', 'refused', 'mailbox_full', 'unreachable', 'policy', 'spam', 'other']
        [bitAnd(max(last), 15) + 1] AS reason,
    if(max(last) = 0, NULL, fromUnixTimestamp64Milli(toInt64(bitAnd(bitShiftRight(max(last), 8), 281474976710655)), 'UTC'))
        AS state_time,
    max(is_fed) AS in_feed,
    bitTest(groupBitOr(kinds), 5) AS complained,
    bitTest(groupBitOr(kinds), 7) OR sum(done) > 0 AS unsubscribed,
    sum(seen) > 0 AS opened, sum(seen_p) > 0 AS opened_people,
    sum(all_hits) AS hits, sum(all_hits_p) AS hits_people,
    sum(open) AS opens, sum(open_p) AS opens_people,
    sum(click) AS clicks, sum(click_p) AS clicks_people,
    sum(done) AS opt_outs, sum(done_p) AS opt_outs_people,
    sum(mirrored) AS mirror, sum(mirrored_p) AS mirror_people,
    sum(visited) AS visits, sum(visited_p) AS visits_people,
    sum(bought) AS transactions, sum(bought_p) AS transactions_people,
    max(told_attributes) AS attributes
FROM
(
    SELECT s.delivery_id AS delivery_id, s.message_id AS message_id, s.recipient_key AS told_recipient,
        s.recipient_name AS told_recipient_name, s.message_name AS told_message_name, s.domain AS told_domain,
        s.format AS told_format, s.seed AS told_seed, s.last AS last, s.kinds AS kinds, s.attributes AS told_attributes, 1 AS is_fed,
        0 AS seen, 0 AS seen_p, 0 AS all_hits, 0 AS all_hits_p, 0 AS open, 0 AS open_p, 0 AS click, 0 AS click_p,
        0 AS done, 0 AS done_p, 0 AS mirrored, 0 AS mirrored_p, 0 AS visited, 0 AS visited_p, 0 AS bought, 0 AS bought_p
    FROM {database}.message_state AS s
    WHERE s.delivery_id NOT IN (SELECT delivery_id FROM {database}.deletions FINAL WHERE state != 'restored')
    UNION ALL
    SELECT a.delivery_id, a.message_id, a.recipient_key, '', '', '', '', 0, 0, 0, map(), 0,
        a.seen, a.seen_p, a.hits, a.hits_p, a.open, a.open_p, a.click, a.click_p,
        a.optout_done, a.optout_done_p, a.mirror, a.mirror_p,
        a.web + a.transaction, a.web_p + a.transaction_p, a.transaction, a.transaction_p
    FROM {database}.message_activity AS a
    WHERE a.delivery_id NOT IN (SELECT delivery_id FROM {database}.deletions FINAL WHERE state != 'restored')
)
GROUP BY delivery_id, message_id
COMMENT 'Messages that the feed or a hit tells of: state by name, and counts of hits. Grain: one row per message. Read: seed = 0 for the numbers of reports. Filter by delivery_id.'
