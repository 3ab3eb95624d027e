-- No dedup window on purpose: under one, a repeated insert would keep its old time, and what the first try left undone
-- would not be calculated again.
CREATE TABLE IF NOT EXISTS {database}.touched{on_cluster}
(
    delivery_id UInt64 COMMENT 'key of the delivery',
    at          SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'when'
)
ENGINE = {engine:AggregatingMergeTree}
ORDER BY delivery_id
SETTINGS {no_dedup}
COMMENT 'When a delivery last got rows. Grain: one row per delivery once merged. Read: max(at).'
