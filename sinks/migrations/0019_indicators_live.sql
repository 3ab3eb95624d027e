-- Columns as in: indicators. The only text of the base numbers. Read it `WHERE delivery_id = …` or `IN (…)`: the condition
-- reaches the primary key of every table below (a test proves it). Sums per message or person first, then compares.
CREATE VIEW IF NOT EXISTS {database}.indicators_live{on_cluster} AS
SELECT
    delivery_id,
    feed.messages AS messages, feed.text AS text, feed.sent AS sent, feed.deferred AS deferred,
    feed.bounced_soft AS bounced_soft, feed.bounced_hard AS bounced_hard, feed.rejected AS rejected,
    feed.delivered AS delivered, feed.processed AS processed, feed.sent + feed.delivered AS success,
    feed.complained AS complained,
    hit.recipient_open AS recipient_open, hit.recipient_open_p AS recipient_open_p,
    hit.recipient_click AS recipient_click, hit.recipient_click_p AS recipient_click_p,
    hit.opt_outs AS opt_outs, hit.opt_outs_p AS opt_outs_p,
    gone.unsubscribed AS unsubscribed, gone.unsubscribed_p AS unsubscribed_p,
    who.person_click AS person_click, who.person_click_p AS person_click_p,
    who.visitors AS visitors, who.visitors_p AS visitors_p,
    total.hits AS hits, total.hits_p AS hits_p,
    total.total_open AS total_open, total.total_open_p AS total_open_p,
    total.total_click AS total_click, total.total_click_p AS total_click_p,
    total.opt_out_clicks AS opt_out_clicks, total.opt_out_clicks_p AS opt_out_clicks_p,
    total.mirror AS mirror, total.mirror_p AS mirror_p,
    total.visits AS visits, total.visits_p AS visits_p,
    total.transactions AS transactions, total.transactions_p AS transactions_p,
    money.articles AS articles, money.articles_p AS articles_p
FROM (SELECT delivery_id FROM {database}.touched GROUP BY delivery_id) AS known
LEFT JOIN
(
    SELECT delivery_id,
        count() AS messages,
        countIf(format = 'text') AS text,
        countIf(state = 1) AS sent, countIf(state = 2) AS deferred, countIf(state = 3) AS bounced_soft,
        countIf(state = 4) AS bounced_hard, countIf(state = 5) AS rejected, countIf(state = 6) AS delivered,
        countIf(state > 0) AS processed,
        countIf(bitTest(kinds, 5)) AS complained
    FROM
    (
        SELECT s.delivery_id AS delivery_id, s.message_id AS message_id, max(s.format) AS format,
            bitAnd(bitShiftRight(max(s.last), 4), 15) AS state, groupBitOr(s.kinds) AS kinds
        FROM {database}.message_state AS s
        GROUP BY s.delivery_id, s.message_id
        HAVING max(s.seed) = 0
    )
    GROUP BY delivery_id
) AS feed USING (delivery_id)
LEFT JOIN
(
    SELECT delivery_id,
        countIf(seen > 0) AS recipient_open, countIf(seen_p > 0) AS recipient_open_p,
        countIf(click > 0) AS recipient_click, countIf(click_p > 0) AS recipient_click_p,
        countIf(optout_done > 0) AS opt_outs, countIf(optout_done_p > 0) AS opt_outs_p
    FROM
    (
        SELECT a.delivery_id AS delivery_id, a.message_id AS message_id,
            sum(a.seen) AS seen, sum(a.seen_p) AS seen_p, sum(a.click) AS click, sum(a.click_p) AS click_p,
            sum(a.optout_done) AS optout_done, sum(a.optout_done_p) AS optout_done_p
        FROM {database}.message_activity AS a
        GROUP BY a.delivery_id, a.message_id
    )
    GROUP BY delivery_id
) AS hit USING (delivery_id)
LEFT JOIN
(
    SELECT delivery_id,
        countIf(seed = 0 AND (confirmed > 0 OR told > 0)) AS unsubscribed,
        countIf(seed = 0 AND (confirmed_p > 0 OR told > 0)) AS unsubscribed_p
    FROM
    (
        SELECT delivery_id, message_id, sum(done) AS confirmed, sum(done_p) AS confirmed_p, max(fed) AS told,
            max(is_seed) AS seed
        FROM
        (
            SELECT a.delivery_id AS delivery_id, a.message_id AS message_id, a.optout_done AS done,
                a.optout_done_p AS done_p, 0 AS fed, 0 AS is_seed
            FROM {database}.message_activity AS a
            WHERE a.optout_done != 0 OR a.optout_done_p != 0
            UNION ALL
            SELECT s.delivery_id, s.message_id, 0, 0, bitTest(s.kinds, 7), s.seed
            FROM {database}.message_state AS s
            WHERE bitTest(s.kinds, 7) OR s.seed != 0
        )
        GROUP BY delivery_id, message_id
    )
    GROUP BY delivery_id
) AS gone USING (delivery_id)
LEFT JOIN
(
    SELECT delivery_id,
        countIf(click > 0) AS person_click, countIf(click_p > 0) AS person_click_p,
        countIf(web > 0) AS visitors, countIf(web_p > 0) AS visitors_p
    FROM
    (
        SELECT p.delivery_id AS delivery_id, p.person AS person, sum(p.click) AS click, sum(p.click_p) AS click_p,
            sum(p.web) AS web, sum(p.web_p) AS web_p
        FROM {database}.person_activity AS p
        GROUP BY p.delivery_id, p.person
    )
    GROUP BY delivery_id
) AS who USING (delivery_id)
LEFT JOIN
(
    SELECT u.delivery_id AS delivery_id,
        sum(u.n) AS hits, sumIf(u.n, u.class != 'machine') AS hits_p,
        sumIf(u.n, u.kind = 'open') AS total_open, sumIf(u.n, u.kind = 'open' AND u.class != 'machine') AS total_open_p,
        sumIf(u.n, u.kind = 'click') AS total_click,
        sumIf(u.n, u.kind = 'click' AND u.class != 'machine') AS total_click_p,
        sumIf(u.n, u.how = 'view') AS opt_out_clicks,
        sumIf(u.n, u.how = 'view' AND u.class != 'machine') AS opt_out_clicks_p,
        sumIf(u.n, u.kind = 'mirror') AS mirror, sumIf(u.n, u.kind = 'mirror' AND u.class != 'machine') AS mirror_p,
        sumIf(u.n, u.kind IN ('web', 'transaction')) AS visits,
        sumIf(u.n, u.kind IN ('web', 'transaction') AND u.class != 'machine') AS visits_p,
        sumIf(u.n, u.kind = 'transaction') AS transactions,
        sumIf(u.n, u.kind = 'transaction' AND u.class != 'machine') AS transactions_p
    FROM {database}.url_activity AS u
    GROUP BY u.delivery_id
) AS total USING (delivery_id)
LEFT JOIN
(
    SELECT t.delivery_id AS delivery_id, sum(t.articles) AS articles, sumIf(t.articles, t.class != 'machine') AS articles_p
    FROM {database}.transactions AS t
    GROUP BY t.delivery_id
) AS money USING (delivery_id)
COMMENT 'The base numbers of deliveries, counted now. Grain: one row per delivery that has events. Read: WHERE delivery_id = … or IN (…), which reaches the primary key of every table below. x counts everybody, x_p people.'
