-- migrations: one row per applied file of this folder. Written by sinks/migrate.py only.
CREATE TABLE IF NOT EXISTS {database}.migrations{on_cluster}
(
    name     String,                       -- file name, e.g. 0002_events.sql
    checksum FixedString(64),              -- SHA-256 of the file as written here, placeholders included, hexadecimal
    applied  DateTime64(3, 'UTC')
)
ENGINE = {engine:ReplacingMergeTree(applied)}
ORDER BY name
