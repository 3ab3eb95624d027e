-- Deliveries are purged: only their keys are kept, so that what arrives later is known.
INSERT INTO deletions (delivery_id, deletion_id, state, account, name, label, asked, purge_after, purged, asked_by, updated)
SELECT delivery_id, deletion_id, 'purged', account, '', '', asked, purge_after,
    coalesce(purged, now64(3, 'UTC')), asked_by, now64(6)
FROM deletions FINAL
WHERE delivery_id IN {deliveries:Array(UInt64)} AND state != 'restored'
