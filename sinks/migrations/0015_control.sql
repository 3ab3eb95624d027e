-- control: what tools ask of loaders, and their answers. Grain: one row per name and member (FINAL).
-- A tool writes (pause, '<its id>', 'on' | 'off'); a loader answers (holding, '<its member id>', '<ids it holds for>').
CREATE TABLE IF NOT EXISTS {database}.control{on_cluster}
(
    name    LowCardinality(String),
    member  String,
    value   String,
    expires DateTime64(3, 'UTC'),             -- a row past it is void: a dead tool holds nobody for ever
    updated DateTime64(6, 'UTC')
)
ENGINE = {engine:ReplacingMergeTree(updated)}
ORDER BY (name, member)
