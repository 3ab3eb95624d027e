CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.recipient_activity_mv{on_cluster} TO {database}.recipient_activity AS
SELECT assumeNotNull(recipient_key) AS recipient_key, event_time, delivery_id, event_id, kind, message_id
FROM {database}.events
WHERE toInt8(kind) < 10 AND sign = 1 AND isNotNull(events.recipient_key)
COMMENT 'Feeds recipient_activity from every insert into events.'
