-- Show a hidden delivery again; does nothing once its time is over. now_ms: UTC milliseconds, 0 = the server's clock.
INSERT INTO deletions (delivery_id, deletion_id, state, account, name, label, asked, purge_after, asked_by, updated)
SELECT delivery_id, deletion_id, 'restored', account, name, label, asked, purge_after, {asked_by:String}, now64(6)
FROM deletions FINAL
WHERE delivery_id = {delivery:UInt64} AND state = 'deleted'
    AND purge_after > if({now_ms:Int64} = 0, now64(3, 'UTC'), fromUnixTimestamp64Milli({now_ms:Int64}, 'UTC'))
