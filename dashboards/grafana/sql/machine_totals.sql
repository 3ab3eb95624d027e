-- machine_totals: hits in the time shown by class. One row; share NULL without hits.
SELECT sum(s.n) AS hits, sumIf(s.n, s.class = 'machine') AS machines, sumIf(s.n, s.class = 'human') AS humans,
    sumIf(s.n, s.class = 'unknown') AS unknown, machines / nullIf(hits, 0) AS share
FROM stat_minute AS s
WHERE s.delivery_id IN {deliveries:Array(UInt64)} AND s.kind <= 'transaction' AND $__timeFilter(s.minute)
