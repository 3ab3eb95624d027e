-- person_activity: who clicked or visited. Grain: one row per delivery and person after merging; sum per person first.
CREATE TABLE IF NOT EXISTS {database}.person_activity{on_cluster}
(
    delivery_id UInt64,
    person      UInt128,
    click       SimpleAggregateFunction(sumWithOverflow, Int32),
    click_p     SimpleAggregateFunction(sumWithOverflow, Int32),
    web         SimpleAggregateFunction(sumWithOverflow, Int32),        -- visits: web and transaction hits
    web_p       SimpleAggregateFunction(sumWithOverflow, Int32)
)
ENGINE = {engine:AggregatingMergeTree}
ORDER BY (delivery_id, person)
SETTINGS {dedup}
