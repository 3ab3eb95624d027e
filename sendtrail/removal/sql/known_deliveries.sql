-- Which of some deliveries are registered or have events, with what the registry says of them.
SELECT k.delivery_id AS delivery_id, d.account AS account, d.name AS name, d.label AS label
FROM
(
    SELECT delivery_id FROM deliveries WHERE delivery_id IN {deliveries:Array(UInt64)}
    UNION DISTINCT
    SELECT delivery_id FROM touched WHERE delivery_id IN {deliveries:Array(UInt64)}
) AS k
LEFT JOIN (SELECT * FROM deliveries FINAL WHERE delivery_id IN {deliveries:Array(UInt64)}) AS d ON d.delivery_id = k.delivery_id
