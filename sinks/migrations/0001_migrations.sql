-- Written by sinks/migrate.py only.
CREATE TABLE IF NOT EXISTS {database}.migrations{on_cluster}
(
    name     String COMMENT 'file name, e.g. 0002_events.sql',
    checksum FixedString(64) COMMENT 'SHA-256 of the file without its comments, placeholders included, hexadecimal',
    applied  DateTime64(3, 'UTC') COMMENT 'when'
)
ENGINE = {engine:ReplacingMergeTree(applied)}
ORDER BY name
COMMENT 'Migrations that were applied. Grain: one row per file. Read: FINAL.'
