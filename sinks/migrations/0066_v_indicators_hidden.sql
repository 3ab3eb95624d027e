-- Columns as in: indicators.
CREATE OR REPLACE VIEW {database}.v_indicators{on_cluster}
(
    delivery_id     UInt64,
    cut             LowCardinality(String) COMMENT 'people (class human or unknown) or all',
    calculated      DateTime64(3, 'UTC') COMMENT 'when these numbers were',
    to_deliver      Nullable(UInt64) COMMENT 'as the sender registered it; NULL = not given, use messages',
    messages        UInt64,
    text            UInt64,
    sent            UInt64,
    deferred        UInt64,
    bounced_soft    UInt64,
    bounced_hard    UInt64,
    rejected        UInt64,
    delivered       UInt64,
    processed       UInt64,
    success         UInt64,
    complained      UInt64,
    recipient_open  UInt64,
    recipient_click UInt64,
    person_click    UInt64,
    opt_outs        UInt64,
    unsubscribed    UInt64,
    visitors        UInt64,
    hits            Int64,
    total_open      Int64,
    total_click     Int64,
    opt_out_clicks  Int64,
    mirror          Int64,
    visits          Int64,
    transactions    Int64,
    articles        Int64
)
AS SELECT
    i.delivery_id AS delivery_id, each AS cut, i.calculated AS calculated, d.to_deliver AS to_deliver,
    i.messages AS messages, i.text AS text, i.sent AS sent, i.deferred AS deferred, i.bounced_soft AS bounced_soft,
    i.bounced_hard AS bounced_hard, i.rejected AS rejected, i.delivered AS delivered, i.processed AS processed,
    i.success AS success, i.complained AS complained,
    if(each = 'people', i.recipient_open_p, i.recipient_open) AS recipient_open,
    if(each = 'people', i.recipient_click_p, i.recipient_click) AS recipient_click,
    if(each = 'people', i.person_click_p, i.person_click) AS person_click,
    if(each = 'people', i.opt_outs_p, i.opt_outs) AS opt_outs,
    if(each = 'people', i.unsubscribed_p, i.unsubscribed) AS unsubscribed,
    if(each = 'people', i.visitors_p, i.visitors) AS visitors, if(each = 'people', i.hits_p, i.hits) AS hits,
    if(each = 'people', i.total_open_p, i.total_open) AS total_open,
    if(each = 'people', i.total_click_p, i.total_click) AS total_click,
    if(each = 'people', i.opt_out_clicks_p, i.opt_out_clicks) AS opt_out_clicks,
    if(each = 'people', i.mirror_p, i.mirror) AS mirror, if(each = 'people', i.visits_p, i.visits) AS visits,
    if(each = 'people', i.transactions_p, i.transactions) AS transactions,
    if(each = 'people', i.articles_p, i.articles) AS articles
FROM
(
    SELECT * FROM {database}.indicators FINAL
    WHERE delivery_id NOT IN (SELECT delivery_id FROM {database}.deletions FINAL WHERE state != 'restored')
) AS i
ARRAY JOIN ['people', 'all'] AS each
LEFT JOIN (SELECT delivery_id, to_deliver FROM {database}.deliveries FINAL) AS d ON d.delivery_id = i.delivery_id
COMMENT 'The base numbers of deliveries, seconds old (see calculated). Grain: one row per delivery and cut. Read: one cut at a time. Numbers of hits add up over deliveries, numbers of messages too, persons do not.'
