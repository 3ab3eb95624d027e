-- What an intent remembers of the server: when it was started (epoch milliseconds, cut to a second after it), how many
-- blocks events was given, and when a migration was applied last.
SELECT
    toUnixTimestamp64Milli(now64(3)) - toInt64(uptime()) * 1000 AS started,
    (
        SELECT if({replicated:Bool}, sum(newest), max(newest))
        FROM
        (
            SELECT max(max_block_number) AS newest
            FROM system.parts
            WHERE database = currentDatabase() AND table = 'events' AND active
            GROUP BY partition_id
        )
    ) AS blocks,
    (SELECT toUnixTimestamp64Milli(max(applied)) FROM migrations) AS schema
