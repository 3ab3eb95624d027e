-- Columns in which a recipient may stand: keys, and texts.
SELECT c.table, c.name, c.type
FROM system.columns AS c
INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
WHERE c.database = currentDatabase() AND t.engine LIKE '%MergeTree'
    AND (c.name = 'recipient_key' OR c.type LIKE '%String%') AND c.type NOT LIKE 'FixedString%'
ORDER BY c.table, c.position
