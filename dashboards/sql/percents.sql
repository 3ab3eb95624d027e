-- percents: how long it took until 10 %, 20 % … 90 % of the hits so far. One row per kind that has any and percentage.
-- starts: of `deliveries`, in that order, UTC milliseconds. p % is reached at the first hit whose cumulated count is
-- ⌈p · N⌉; hits before the start count at 0. Counts whole minutes first, then the hits of those minutes that matter.
--   kind           open, click or transaction
--   percent        10 … 90
--   elapsed_ms     milliseconds since the start
WITH
    hits AS
    (
        SELECT kind, toInt64(sign) AS sign,
            greatest(0, toUnixTimestamp64Milli(event_time)
                - transform(delivery_id, {deliveries:Array(UInt64)}, {starts:Array(Int64)}, toInt64(0))) AS elapsed_ms
        FROM events
        WHERE delivery_id IN {deliveries:Array(UInt64)} AND hit = 1 AND kind IN ('open', 'click', 'transaction')
            AND ({people:UInt8} = 0 OR class != 'machine')
    ),
    minutes AS
    (
        SELECT kind, minute, cumulated - n AS before,
            arrayFilter(p -> p.2 > cumulated - n AND p.2 <= cumulated,
                arrayMap(p -> (p, intDiv(total * p + 99, 100)), [10, 20, 30, 40, 50, 60, 70, 80, 90])) AS wanted
        FROM
        (
            SELECT kind, minute, n,
                sum(n) OVER (PARTITION BY kind ORDER BY minute ROWS UNBOUNDED PRECEDING) AS cumulated,
                sum(n) OVER (PARTITION BY kind) AS total
            FROM (SELECT kind, intDiv(elapsed_ms, 60000) AS minute, sum(sign) AS n FROM hits GROUP BY kind, minute)
        )
        WHERE notEmpty(wanted)
    )
SELECT toString(kind) AS kind, reached.1 AS percent, min(elapsed_ms) AS elapsed_ms
FROM
(
    SELECT h.kind AS kind, h.elapsed_ms AS elapsed_ms, m.wanted AS wanted,
        m.before + sum(h.n) OVER (PARTITION BY h.kind, h.minute ORDER BY h.elapsed_ms ROWS UNBOUNDED PRECEDING) AS cumulated
    FROM
    (
        SELECT kind, intDiv(elapsed_ms, 60000) AS minute, elapsed_ms, sum(sign) AS n
        FROM hits
        WHERE (kind, intDiv(elapsed_ms, 60000)) IN (SELECT kind, minute FROM minutes)
        GROUP BY kind, minute, elapsed_ms
        HAVING n != 0
    ) AS h
    INNER JOIN minutes AS m ON m.kind = h.kind AND m.minute = h.minute
)
ARRAY JOIN wanted AS reached
WHERE cumulated >= reached.2
GROUP BY kind, percent
ORDER BY kind, percent
