CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.stat_minute_mv{on_cluster} TO {database}.stat_minute AS
SELECT delivery_id, kind, how, toStartOfMinute(toDateTime(event_time, 'UTC')) AS minute, url_id, class, sum(toInt64(sign)) AS n
FROM {database}.events
WHERE hit = 1 OR (toInt8(kind) >= 10 AND seed = 0)
GROUP BY delivery_id, kind, how, minute, url_id, class
COMMENT 'Feeds stat_minute from every insert into events.'
