-- Tables with rows of deliveries; the list of deletions is none of them.
SELECT DISTINCT c.table
FROM system.columns AS c
INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
WHERE c.database = currentDatabase() AND c.name = 'delivery_id' AND t.engine LIKE '%MergeTree' AND c.table != 'deletions'
