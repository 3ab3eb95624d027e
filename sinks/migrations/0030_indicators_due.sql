-- Columns as in: indicators. An insert shows up to a minute after `touched` has its
-- time, so a delivery is looked at again now and then for a minute; large ones rest ten seconds in between.
CREATE VIEW IF NOT EXISTS {database}.indicators_due{on_cluster} AS
SELECT t.delivery_id AS delivery_id
FROM (SELECT delivery_id, max(at) AS at FROM {database}.touched GROUP BY delivery_id) AS t
LEFT JOIN
(
    SELECT delivery_id, max(calculated) AS calculated, max(messages + hits) AS size
    FROM {database}.indicators GROUP BY delivery_id
) AS i USING (delivery_id)
WHERE (t.at >= i.calculated AND i.calculated < now64(3) - toIntervalSecond(if(i.size > 200000, 10, 0)))
    OR (t.at >= i.calculated - toIntervalSecond(60) AND i.calculated < now64(3) - toIntervalSecond(15))
COMMENT 'Deliveries whose indicators may be behind; indicators_refresh calculates them. Grain: one row per delivery.'
