-- Deletions as they stand, those asked last first; deliveries: only of these, empty = all.
SELECT delivery_id, deletion_id, toString(state) AS state, account, name, label, asked, purge_after, purged, asked_by
FROM deletions FINAL
WHERE empty({deliveries:Array(UInt64)}) OR delivery_id IN {deliveries:Array(UInt64)}
ORDER BY asked DESC, delivery_id
