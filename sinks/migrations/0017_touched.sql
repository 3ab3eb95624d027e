-- touched: when a delivery last got rows. No dedup window on purpose: under one, a repeated insert would keep its old
-- time, and what the first try left undone would not be calculated again.
CREATE TABLE IF NOT EXISTS {database}.touched{on_cluster}
(
    delivery_id UInt64,
    at          SimpleAggregateFunction(max, DateTime64(3, 'UTC'))
)
ENGINE = {engine:AggregatingMergeTree}
ORDER BY delivery_id
SETTINGS {no_dedup}
