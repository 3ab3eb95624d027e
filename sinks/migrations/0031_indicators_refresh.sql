CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.indicators_refresh{on_cluster}
REFRESH EVERY 2 SECOND APPEND TO {database}.indicators AS
SELECT live.*, now64(3) AS calculated
FROM {database}.indicators_live AS live
WHERE live.delivery_id IN (SELECT delivery_id FROM {database}.indicators_due)
COMMENT 'Calculates indicators anew, every two seconds, where indicators_due says so.'
