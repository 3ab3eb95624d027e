-- The deliveries a table has rows of, out of those that are purged.
SELECT DISTINCT delivery_id FROM {table:Identifier}
WHERE delivery_id IN (SELECT delivery_id FROM deletions FINAL WHERE state = 'purged')
