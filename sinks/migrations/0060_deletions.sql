-- A row says what holds since `updated`; sendtrail/removal/deletions.py writes the first ones, sinks/purge.py the last.
CREATE TABLE IF NOT EXISTS {database}.deletions{on_cluster}
(
    delivery_id UInt64 COMMENT 'key of the delivery',
    deletion_id UUID COMMENT 'of the request; what purged_events counts by',
    state       Enum8('deleted' = 1, 'restored' = 2, 'purged' = 3)
                COMMENT 'deleted: hidden everywhere, and to be had back; restored; purged: its rows are gone, and so are those that come later',
    account     LowCardinality(String) COMMENT 'of the delivery; empty = the default account',
    name        String COMMENT 'as the sender calls it; empty once it is purged',
    label       String COMMENT 'for people; empty once it is purged',
    asked       DateTime64(3, 'UTC') COMMENT 'when it was deleted',
    purge_after DateTime64(3, 'UTC') COMMENT 'until then it can be had back, from then on it is purged',
    purged      Nullable(DateTime64(3, 'UTC')) COMMENT 'when its rows were taken away; NULL = not yet',
    asked_by    String COMMENT 'who deleted or restored it: user, API key or command',
    updated     DateTime64(6, 'UTC') COMMENT 'when this was said'
)
ENGINE = {engine:ReplacingMergeTree(updated)}
ORDER BY delivery_id
COMMENT 'Deliveries that were deleted. Grain: one row per delivery. Read: FINAL; all but restored ones are hidden.'
