-- base_stored: the base numbers of deliveries: distinct numbers as last calculated, counts of hits as of now.
-- One row per delivery asked for; columns as in base_live. calculated: when the distinct numbers were, 1970 = never;
-- where no row has come since they were, they are those of now (an insert shows up to a minute after its `touched`).
SELECT
    k.delivery AS delivery,
    d.to_deliver AS registered_to_deliver, d.success AS registered_success, d.targeted AS targeted,
    i.messages AS messages, i.text AS text, f.fed AS fed,
    i.sent AS sent, i.deferred AS deferred, i.delivered AS delivered, i.bounced_soft AS bounced_soft,
    i.bounced_hard AS bounced_hard, i.rejected AS rejected, i.complained AS complained,
    if({people:UInt8} = 1, i.unsubscribed_p, i.unsubscribed) AS unsubscribed,
    if({people:UInt8} = 1, i.recipient_open_p, i.recipient_open) AS recipient_open,
    if({people:UInt8} = 1, i.recipient_click_p, i.recipient_click) AS recipient_click,
    if({people:UInt8} = 1, i.person_click_p, i.person_click) AS person_click,
    if({people:UInt8} = 1, i.opt_outs_p, i.opt_outs) AS opt_outs,
    h.total_open AS total_open, h.total_click AS total_click, h.opt_out_clicks AS opt_out_clicks,
    h.mirror AS mirror, h.visits AS visits, h.transactions AS transactions,
    h.hits_people AS hits_people, h.hits_all AS hits_all,
    if(t.at < i.calculated - toIntervalSecond(60), now64(3, 'UTC'), i.calculated) AS calculated
FROM (SELECT arrayJoin({deliveries:Array(UInt64)}) AS delivery) AS k
LEFT JOIN (SELECT * FROM indicators FINAL WHERE delivery_id IN {deliveries:Array(UInt64)}) AS i ON i.delivery_id = k.delivery
LEFT JOIN
(
    SELECT delivery_id, max(at) AS at FROM touched WHERE delivery_id IN {deliveries:Array(UInt64)} GROUP BY delivery_id
) AS t ON t.delivery_id = k.delivery
LEFT JOIN (SELECT * FROM deliveries FINAL WHERE delivery_id IN {deliveries:Array(UInt64)}) AS d ON d.delivery_id = k.delivery
LEFT JOIN
(
    SELECT delivery_id, sum(n) AS fed FROM stat_minute
    WHERE delivery_id IN {deliveries:Array(UInt64)} AND kind > 'prepared'
    GROUP BY delivery_id
) AS f ON f.delivery_id = k.delivery
LEFT JOIN
(
    SELECT delivery_id,
        sum(n) AS hits_all, sumIf(n, class != 'machine') AS hits_people,
        sumIf(n, in_cut AND kind = 'open') AS total_open, sumIf(n, in_cut AND kind = 'click') AS total_click,
        sumIf(n, in_cut AND how = 'view') AS opt_out_clicks, sumIf(n, in_cut AND kind = 'mirror') AS mirror,
        sumIf(n, in_cut AND kind IN ('web', 'transaction')) AS visits, sumIf(n, in_cut AND kind = 'transaction') AS transactions
    FROM (SELECT *, {people:UInt8} = 0 OR class != 'machine' AS in_cut FROM url_activity WHERE delivery_id IN {deliveries:Array(UInt64)})
    GROUP BY delivery_id
) AS h ON h.delivery_id = k.delivery
