CREATE TABLE IF NOT EXISTS {database}.message_activity{on_cluster}
(
    delivery_id     UInt64 COMMENT 'key of the delivery',
    message_id      UInt64 COMMENT 'key of the message: one delivery to one recipient',
    recipient_key   SimpleAggregateFunction(max, Nullable(UInt64)) COMMENT 'as the links say; NULL = unknown',
    hits            SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'all hits',
    hits_p          SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'all hits, people only',
    seen            SimpleAggregateFunction(sumWithOverflow, Int32)
                    COMMENT 'hits that prove an open: all but one-click unsubscribes',
    seen_p          SimpleAggregateFunction(sumWithOverflow, Int32)
                    COMMENT 'hits that prove an open: all but one-click unsubscribes, people only',
    open            SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'opens',
    open_p          SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'opens, people only',
    click           SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'clicks',
    click_p         SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'clicks, people only',
    optout_view     SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'opt-out pages shown',
    optout_view_p   SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'opt-out pages shown, people only',
    optout_done     SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'opt-outs confirmed: form or one-click',
    optout_done_p   SimpleAggregateFunction(sumWithOverflow, Int32)
                    COMMENT 'opt-outs confirmed: form or one-click, people only',
    mirror          SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'views of the mirror page',
    mirror_p        SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'views of the mirror page, people only',
    web             SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'pages of the site',
    web_p           SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'pages of the site, people only',
    transaction     SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'transactions',
    transaction_p   SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'transactions, people only'
)
ENGINE = {engine:AggregatingMergeTree}
ORDER BY (delivery_id, message_id)
SETTINGS {dedup}
COMMENT 'Hits of a message. Grain: one row per delivery and message once merged; a stored row is a part. Read: sum per message first, then compare (or FINAL). x counts everybody, x_p people.'
