-- Deleted deliveries whose time is over. now_ms: UTC milliseconds, 0 = the server's clock.
SELECT delivery_id FROM deletions FINAL
WHERE state = 'deleted'
    AND purge_after <= if({now_ms:Int64} = 0, now64(3, 'UTC'), fromUnixTimestamp64Milli({now_ms:Int64}, 'UTC'))
ORDER BY purge_after
