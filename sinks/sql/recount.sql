-- By how much an aggregate differs from a recount of the events of some deliveries: a row per key that differs.
-- Filled in by sinks/recount.py, with names from the tables themselves: counted is what the view selects.
SELECT $keys$values
FROM
(
    SELECT $columns, 1 AS recount FROM ($counted)
    UNION ALL
    SELECT $columns, 0 AS recount FROM $target WHERE delivery_id IN {deliveries:Array(UInt64)}
)
GROUP BY $keys
HAVING $differs
