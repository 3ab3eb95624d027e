CREATE TABLE IF NOT EXISTS {database}.person_activity{on_cluster}
(
    delivery_id UInt64 COMMENT 'key of the delivery',
    person      UInt128 COMMENT 'the visitor, else delivery and message',
    click       SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'clicks',
    click_p     SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'clicks, people only',
    web         SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'visits: web and transaction hits',
    web_p       SimpleAggregateFunction(sumWithOverflow, Int32) COMMENT 'visits: web and transaction hits, people only'
)
ENGINE = {engine:AggregatingMergeTree}
ORDER BY (delivery_id, person)
SETTINGS {dedup}
COMMENT 'Who clicked or visited. Grain: one row per delivery and person once merged. Read: sum per person first, then compare. x counts everybody, x_p people.'
