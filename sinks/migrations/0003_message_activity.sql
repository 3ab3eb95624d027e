-- message_activity: hits of a message. Grain: one row per delivery and message after merging; sum per message first,
-- then compare (a stored row is only a part). x counts everybody, x_p people (class human or unknown).
CREATE TABLE IF NOT EXISTS {database}.message_activity{on_cluster}
(
    delivery_id     UInt64,
    message_id      UInt64,
    recipient_key   SimpleAggregateFunction(max, Nullable(UInt64)),         -- as the links say
    hits            SimpleAggregateFunction(sumWithOverflow, Int32),
    hits_p          SimpleAggregateFunction(sumWithOverflow, Int32),
    seen            SimpleAggregateFunction(sumWithOverflow, Int32),        -- hits that prove an open: all but one-click unsubscribes
    seen_p          SimpleAggregateFunction(sumWithOverflow, Int32),
    open            SimpleAggregateFunction(sumWithOverflow, Int32),
    open_p          SimpleAggregateFunction(sumWithOverflow, Int32),
    click           SimpleAggregateFunction(sumWithOverflow, Int32),
    click_p         SimpleAggregateFunction(sumWithOverflow, Int32),
    optout_view     SimpleAggregateFunction(sumWithOverflow, Int32),        -- opt-out pages shown
    optout_view_p   SimpleAggregateFunction(sumWithOverflow, Int32),
    optout_done     SimpleAggregateFunction(sumWithOverflow, Int32),        -- confirmed: form or one-click
    optout_done_p   SimpleAggregateFunction(sumWithOverflow, Int32),
    mirror          SimpleAggregateFunction(sumWithOverflow, Int32),
    mirror_p        SimpleAggregateFunction(sumWithOverflow, Int32),
    web             SimpleAggregateFunction(sumWithOverflow, Int32),
    web_p           SimpleAggregateFunction(sumWithOverflow, Int32),
    transaction     SimpleAggregateFunction(sumWithOverflow, Int32),
    transaction_p   SimpleAggregateFunction(sumWithOverflow, Int32)
)
ENGINE = {engine:AggregatingMergeTree}
ORDER BY (delivery_id, message_id)
SETTINGS {dedup}
