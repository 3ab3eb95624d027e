-- Columns of a table in order, with the table's engine.
SELECT name, type, is_in_sorting_key, engine
FROM system.columns
CROSS JOIN (SELECT engine FROM system.tables WHERE database = currentDatabase() AND name = {table:String}) AS of_table
WHERE database = currentDatabase() AND table = {table:String}
ORDER BY position
