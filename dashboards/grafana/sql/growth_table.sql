-- growth_table: hits of the chosen deliveries within each period since the start of each (report query periods). One row
-- per period. period_s 0 = all.
SELECT multiIf(p.period_s = 0, 'all', p.period_s < 86400, concat(toString(intDiv(p.period_s, 3600)), ' h'),
        concat(toString(intDiv(p.period_s, 86400)), ' d')) AS within,
    sumIf(p.hits, p.kind = 'open') AS opens, sumIf(p.hits, p.kind = 'click') AS clicks,
    sumIf(p.hits, p.kind = 'transaction') AS transactions
FROM ({sql:periods}) AS p
GROUP BY p.period_s
ORDER BY p.period_s = 0, p.period_s
