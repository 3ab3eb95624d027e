CREATE TABLE IF NOT EXISTS {database}.control{on_cluster}
(
    name    LowCardinality(String) COMMENT 'pause or holding',
    member  String COMMENT 'id of the tool or of the loader',
    value   String COMMENT 'on, off, or ids',
    expires DateTime64(3, 'UTC') COMMENT 'a row past it is void: a dead tool holds nobody for ever',
    updated DateTime64(6, 'UTC') COMMENT 'when it was said'
)
ENGINE = {engine:ReplacingMergeTree(updated)}
ORDER BY (name, member)
COMMENT 'What tools ask of loaders, and their answers: a tool writes (pause, its id, on or off), a loader answers (holding, its member id, the ids it holds for). Grain: one row per name and member. Read: FINAL.'
