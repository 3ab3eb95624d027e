ALTER TABLE {database}.events{on_cluster} ADD COLUMN IF NOT EXISTS
    client_id UInt64 COMMENT 'of a hit, for rules: equal for one client, which is the visitor the request named, else user agent and whole address (keyed hash); 0 = none, or loaded before there was this column' AFTER country
