CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.touched_mv{on_cluster} TO {database}.touched AS
SELECT delivery_id, max(now64(3)) AS at
FROM {database}.events
GROUP BY delivery_id
COMMENT 'Feeds touched from every insert into events.'
