-- Hide a delivery; does nothing where it is hidden or purged already.
INSERT INTO deletions (delivery_id, deletion_id, state, account, name, label, asked, purge_after, asked_by, updated)
SELECT {delivery:UInt64}, generateUUIDv4(), 'deleted', {account:String}, {name:String}, {label:String},
    now64(3, 'UTC') AS at, at + toIntervalSecond({restorable_s:UInt32}), {asked_by:String}, now64(6)
WHERE {delivery:UInt64} NOT IN (SELECT delivery_id FROM deletions FINAL WHERE state != 'restored')
