CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.url_activity_mv{on_cluster} TO {database}.url_activity AS
SELECT delivery_id, kind, how, url_id, position, class, sum(toInt64(sign)) AS n
FROM {database}.events
WHERE hit = 1
GROUP BY delivery_id, kind, how, url_id, position, class
COMMENT 'Feeds url_activity from every insert into events.'
