ALTER TABLE {database}.erasures{on_cluster} ADD COLUMN IF NOT EXISTS
    account LowCardinality(String) COMMENT 'of the recipient; empty = the default account', ADD COLUMN IF NOT EXISTS
    recipient_name String COMMENT 'as the sender calls the recipient; empty once it is done' CODEC(ZSTD(1)), ADD COLUMN IF NOT EXISTS
    asked_by String COMMENT 'who asked: user, API key or command', ADD COLUMN IF NOT EXISTS
    pseudonym UInt64 COMMENT 'stands for the key in every table: a keyed hash of it; 0 = not begun', ADD COLUMN IF NOT EXISTS
    fingerprint UInt16 COMMENT '16 keyed bits of the key, by which loaders find what may be of the recipient before they hash it', ADD COLUMN IF NOT EXISTS
    began Nullable(DateTime64(3, 'UTC')) COMMENT 'from then on loaders give what arrives the pseudonym; NULL = not yet'
