-- indicators: the base numbers of a delivery, calculated every few seconds where something changed (view
-- indicators_live, by indicators_refresh). Grain: one row per delivery (FINAL). x counts everybody, x_p people.
-- Rates, estimates and forwards are formulas over these (METRICS).
CREATE TABLE IF NOT EXISTS {database}.indicators{on_cluster}
(
    delivery_id        UInt64,
    calculated         DateTime64(3, 'UTC'),   -- when the calculation began

    -- feed: messages that are no seeds and no proofs
    messages           UInt64,                 -- with any feed event
    text               UInt64,                 -- in text format only
    sent               UInt64,                 -- in that state now, like the next six
    deferred           UInt64,
    bounced_soft       UInt64,
    bounced_hard       UInt64,
    rejected           UInt64,
    delivered          UInt64,
    processed          UInt64,                 -- in any state
    success            UInt64,                 -- sent + delivered; 0 where the feed has only `prepared` (see METRICS)
    complained         UInt64,

    -- messages
    recipient_open     UInt64,
    recipient_open_p   UInt64,
    recipient_click    UInt64,
    recipient_click_p  UInt64,
    opt_outs           UInt64,                 -- confirmed: form or one-click
    opt_outs_p         UInt64,
    unsubscribed       UInt64,                 -- confirmed opt-out or the feed says so
    unsubscribed_p     UInt64,

    -- persons
    person_click       UInt64,
    person_click_p     UInt64,
    visitors           UInt64,                 -- persons with a visit
    visitors_p         UInt64,

    -- hits
    hits               Int64,
    hits_p             Int64,
    total_open         Int64,
    total_open_p       Int64,
    total_click        Int64,
    total_click_p      Int64,
    opt_out_clicks     Int64,                  -- opt-out pages shown
    opt_out_clicks_p   Int64,
    mirror             Int64,
    mirror_p           Int64,
    visits             Int64,                  -- web and transaction hits
    visits_p           Int64,
    transactions       Int64,
    transactions_p     Int64,
    articles           Int64,
    articles_p         Int64
)
ENGINE = {engine:ReplacingMergeTree(calculated)}
ORDER BY delivery_id
