-- How some tables are made.
SELECT name, engine, engine_full
FROM system.tables
WHERE database = currentDatabase() AND name IN {tables:Array(String)}
ORDER BY name
