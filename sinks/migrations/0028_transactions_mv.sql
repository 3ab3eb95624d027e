CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.transactions_mv{on_cluster} TO {database}.transactions AS
SELECT delivery_id, currency, toDate(event_time) AS day, site, class,
    sum(toInt64(sign)) AS n, sum(sign * events.amount) AS amount, sum(sign * toInt64(events.articles)) AS articles
FROM {database}.events
WHERE hit = 1 AND kind = 'transaction'
GROUP BY delivery_id, currency, day, site, class
COMMENT 'Feeds transactions from every insert into events.'
