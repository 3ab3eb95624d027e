-- totals: what happened in the time shown to the chosen deliveries. One row.
--   sent, delivered, bounced, complained         feed events
--   opens, clicks, unsubscribes, visits          hits in the cut; unsubscribes: confirmed opt-outs
--   machine_share                                hits by machines / all hits, NULL without hits
SELECT
    sumIf(s.n, s.kind = 'sent') AS sent,
    sumIf(s.n, s.kind = 'delivered') AS delivered,
    sumIf(s.n, s.kind = 'bounced') AS bounced,
    sumIf(s.n, s.kind = 'complained') AS complained,
    sumIf(s.n, s.in_cut AND s.kind = 'open') AS opens,
    sumIf(s.n, s.in_cut AND s.kind = 'click') AS clicks,
    sumIf(s.n, s.in_cut AND s.how IN ('form', 'one_click')) AS unsubscribes,
    sumIf(s.n, s.in_cut AND s.kind IN ('web', 'transaction')) AS visits,
    sumIf(s.n, s.kind <= 'transaction' AND s.class = 'machine') / nullIf(sumIf(s.n, s.kind <= 'transaction'), 0) AS machine_share
FROM
(
    SELECT *, {people:UInt8} = 0 OR class != 'machine' AS in_cut
    FROM stat_minute
    WHERE delivery_id IN {deliveries:Array(UInt64)} AND $__timeFilter(minute)
) AS s
