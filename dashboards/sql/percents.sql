-- percents: how long it took until 10 %, 20 % … 90 % of the hits so far. One row per kind that has any and percentage.
-- starts: of `deliveries`, in that order, UTC milliseconds. p % is reached at the first hit whose cumulated count is
-- ⌈p · N⌉; hits before the start count at 0.
--   kind           open, click or transaction
--   percent        10 … 90
--   elapsed_ms     milliseconds since the start
SELECT kind, percent, min(elapsed_ms) AS elapsed_ms
FROM
(
    SELECT kind, elapsed_ms,
        arrayFilter(p -> intDiv(total * p + 99, 100) <= cumulated AND intDiv(total * p + 99, 100) > cumulated - n,
            [10, 20, 30, 40, 50, 60, 70, 80, 90]) AS reached
    FROM
    (
        SELECT kind, elapsed_ms, n,
            sum(n) OVER (PARTITION BY kind ORDER BY elapsed_ms ROWS UNBOUNDED PRECEDING) AS cumulated,
            sum(n) OVER (PARTITION BY kind) AS total
        FROM
        (
            SELECT toString(kind) AS kind, sum(toInt64(sign)) AS n,
                greatest(0, toUnixTimestamp64Milli(event_time)
                    - transform(delivery_id, {deliveries:Array(UInt64)}, {starts:Array(Int64)}, toInt64(0))) AS elapsed_ms
            FROM events
            WHERE delivery_id IN {deliveries:Array(UInt64)} AND hit = 1 AND kind IN ('open', 'click', 'transaction')
                AND ({people:UInt8} = 0 OR class != 'machine')
            GROUP BY kind, elapsed_ms
            HAVING n != 0
        )
    )
)
ARRAY JOIN reached AS percent
GROUP BY kind, percent
ORDER BY kind, percent
