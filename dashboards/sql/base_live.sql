-- base_live: the base numbers of deliveries, all counted now. One row per delivery asked for.
-- people = 1: class human or unknown; 0: machines too. Distinct messages unless said; no seeds, no proofs.
--   registered_to_deliver, registered_success, targeted     the sender's figures, NULL where not given
--   messages, text          with any feed event; in text format only
--   fed                     feed events other than `prepared`
--   sent … rejected         messages in that state;  complained, unsubscribed, opt_outs: messages
--   recipient_open, recipient_click   messages;  person_click: persons
--   total_open, total_click, opt_out_clicks, mirror, visits, transactions: hits in the cut
--   hits_people, hits_all   hits of each cut
--   calculated              when
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
    if({people:UInt8} = 1, i.total_open_p, i.total_open) AS total_open,
    if({people:UInt8} = 1, i.total_click_p, i.total_click) AS total_click,
    if({people:UInt8} = 1, i.opt_out_clicks_p, i.opt_out_clicks) AS opt_out_clicks,
    if({people:UInt8} = 1, i.mirror_p, i.mirror) AS mirror,
    if({people:UInt8} = 1, i.visits_p, i.visits) AS visits,
    if({people:UInt8} = 1, i.transactions_p, i.transactions) AS transactions,
    i.hits_p AS hits_people, i.hits AS hits_all,
    now64(3, 'UTC') AS calculated
FROM (SELECT arrayJoin({deliveries:Array(UInt64)}) AS delivery) AS k
LEFT JOIN (SELECT * FROM indicators_live WHERE delivery_id IN {deliveries:Array(UInt64)}) AS i ON i.delivery_id = k.delivery
LEFT JOIN (SELECT * FROM deliveries FINAL WHERE delivery_id IN {deliveries:Array(UInt64)}) AS d ON d.delivery_id = k.delivery
LEFT JOIN
(
    SELECT delivery_id, sum(n) AS fed FROM stat_minute
    WHERE delivery_id IN {deliveries:Array(UInt64)} AND kind > 'prepared'
    GROUP BY delivery_id
) AS f ON f.delivery_id = k.delivery
