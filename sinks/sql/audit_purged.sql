-- One row: events of deleted deliveries that were purged, of how many deletions.
SELECT toInt64(sum(events)), uniqExact(deletion_id)
FROM purged_events FINAL
WHERE minute >= {since:UInt64} AND minute < {until:UInt64}
