-- Materialized views that inserts into events feed, with what they select and where it goes.
SELECT name, as_select, extract(create_table_query, ' TO [^ ]*?\\.([^ .]+)') AS target
FROM system.tables
WHERE database = currentDatabase() AND engine = 'MaterializedView' AND target != ''
    AND NOT match(create_table_query, ' REFRESH (EVERY|AFTER) ')
    AND as_select LIKE concat('% FROM ', currentDatabase(), '.events%')
ORDER BY name
