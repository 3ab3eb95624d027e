CREATE TABLE IF NOT EXISTS {database}.indicators{on_cluster}
(
    delivery_id        UInt64 COMMENT 'key of the delivery',
    calculated         DateTime64(3, 'UTC') COMMENT 'when the calculation began',

    -- feed: messages that are no seeds and no proofs
    messages           UInt64 COMMENT 'messages with any feed event',
    text               UInt64 COMMENT 'of these, in text format only',
    sent               UInt64 COMMENT 'messages in state sent',
    deferred           UInt64 COMMENT 'messages in state deferred',
    bounced_soft       UInt64 COMMENT 'messages in state bounced_soft',
    bounced_hard       UInt64 COMMENT 'messages in state bounced_hard',
    rejected           UInt64 COMMENT 'messages in state rejected',
    delivered          UInt64 COMMENT 'messages in state delivered',
    processed          UInt64 COMMENT 'messages in any state',
    success            UInt64 COMMENT 'sent + delivered; 0 where the feed has only prepared',
    complained         UInt64 COMMENT 'messages with a complaint',

    -- messages
    recipient_open     UInt64 COMMENT 'messages with any hit but one-click unsubscribes',
    recipient_open_p   UInt64 COMMENT 'messages with any hit but one-click unsubscribes, people only',
    recipient_click    UInt64 COMMENT 'messages with a click',
    recipient_click_p  UInt64 COMMENT 'messages with a click, people only',
    opt_outs           UInt64 COMMENT 'messages with a confirmed opt-out: form or one-click',
    opt_outs_p         UInt64 COMMENT 'messages with a confirmed opt-out: form or one-click, people only',
    unsubscribed       UInt64 COMMENT 'messages with a confirmed opt-out or where the feed says so',
    unsubscribed_p     UInt64 COMMENT 'messages with a confirmed opt-out or where the feed says so, people only',

    -- persons
    person_click       UInt64 COMMENT 'persons with a click',
    person_click_p     UInt64 COMMENT 'persons with a click, people only',
    visitors           UInt64 COMMENT 'persons with a visit',
    visitors_p         UInt64 COMMENT 'persons with a visit, people only',

    -- hits
    hits               Int64 COMMENT 'all hits',
    hits_p             Int64 COMMENT 'all hits, people only',
    total_open         Int64 COMMENT 'open hits',
    total_open_p       Int64 COMMENT 'open hits, people only',
    total_click        Int64 COMMENT 'click hits',
    total_click_p      Int64 COMMENT 'click hits, people only',
    opt_out_clicks     Int64 COMMENT 'opt-out pages shown',
    opt_out_clicks_p   Int64 COMMENT 'opt-out pages shown, people only',
    mirror             Int64 COMMENT 'mirror hits',
    mirror_p           Int64 COMMENT 'mirror hits, people only',
    visits             Int64 COMMENT 'web and transaction hits',
    visits_p           Int64 COMMENT 'web and transaction hits, people only',
    transactions       Int64 COMMENT 'transaction hits',
    transactions_p     Int64 COMMENT 'transaction hits, people only',
    articles           Int64 COMMENT 'pieces',
    articles_p         Int64 COMMENT 'pieces, people only'
)
ENGINE = {engine:ReplacingMergeTree(calculated)}
ORDER BY delivery_id
COMMENT 'The base numbers of a delivery, calculated every few seconds where something changed (view indicators_live, by indicators_refresh). Grain: one row per delivery. Read: FINAL, or view v_indicators. x counts everybody, x_p people; rates, estimates and forwards are formulas over these.'
