-- Columns of the stored tables, with what they mean.
SELECT c.table, c.name, c.type, c.comment, t.comment
FROM system.columns AS c
INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
WHERE c.database = currentDatabase() AND t.engine LIKE '%MergeTree'
ORDER BY c.table, c.position
