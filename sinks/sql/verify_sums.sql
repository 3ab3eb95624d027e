-- The same counts from three tables: a row per table and delivery. x counts everybody, x_p people.
SELECT 'url_activity' AS source, delivery_id,
    sumIf(n, kind = 'open') AS open, sumIf(n, kind = 'open' AND class != 'machine') AS open_p,
    sumIf(n, kind = 'click') AS click, sumIf(n, kind = 'click' AND class != 'machine') AS click_p,
    sumIf(n, how = 'view') AS optout_view, sumIf(n, how = 'view' AND class != 'machine') AS optout_view_p,
    sumIf(n, how IN ('form', 'one_click')) AS optout_done,
    sumIf(n, how IN ('form', 'one_click') AND class != 'machine') AS optout_done_p,
    sumIf(n, kind = 'mirror') AS mirror, sumIf(n, kind = 'mirror' AND class != 'machine') AS mirror_p,
    sumIf(n, kind = 'web') AS web, sumIf(n, kind = 'web' AND class != 'machine') AS web_p,
    sumIf(n, kind = 'transaction') AS transaction, sumIf(n, kind = 'transaction' AND class != 'machine') AS transaction_p
FROM url_activity WHERE delivery_id IN {deliveries:Array(UInt64)}
GROUP BY delivery_id
UNION ALL
SELECT 'stat_minute', delivery_id,
    sumIf(n, kind = 'open'), sumIf(n, kind = 'open' AND class != 'machine'),
    sumIf(n, kind = 'click'), sumIf(n, kind = 'click' AND class != 'machine'),
    sumIf(n, how = 'view'), sumIf(n, how = 'view' AND class != 'machine'),
    sumIf(n, how IN ('form', 'one_click')), sumIf(n, how IN ('form', 'one_click') AND class != 'machine'),
    sumIf(n, kind = 'mirror'), sumIf(n, kind = 'mirror' AND class != 'machine'),
    sumIf(n, kind = 'web'), sumIf(n, kind = 'web' AND class != 'machine'),
    sumIf(n, kind = 'transaction'), sumIf(n, kind = 'transaction' AND class != 'machine')
FROM stat_minute WHERE delivery_id IN {deliveries:Array(UInt64)}
GROUP BY delivery_id
UNION ALL
SELECT 'message_activity', delivery_id,
    sum(open), sum(open_p), sum(click), sum(click_p), sum(optout_view), sum(optout_view_p),
    sum(optout_done), sum(optout_done_p), sum(mirror), sum(mirror_p), sum(web), sum(web_p),
    sum(transaction), sum(transaction_p)
FROM message_activity WHERE delivery_id IN {deliveries:Array(UInt64)}
GROUP BY delivery_id
