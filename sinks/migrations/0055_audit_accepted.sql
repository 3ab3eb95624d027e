ALTER TABLE {database}.audit{on_cluster} ADD COLUMN IF NOT EXISTS
    accepted String COMMENT 'of source records that were lost, and without which an operator had the line go on (sendtrail chain accept-gap): why, and who; empty = a loaded record' CODEC(ZSTD(1)) AFTER relabel_refused
