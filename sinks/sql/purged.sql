-- Deliveries of which nothing is to be stored any more.
SELECT delivery_id FROM deletions FINAL WHERE state = 'purged'
