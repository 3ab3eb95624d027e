-- attributes: base numbers by the values of one attribute that the sender gave messages. One row per delivery and value,
-- 'Unknown' where a message has none, so sums over values are the delivery's numbers. attribute: its name.
-- Distinct messages unless said; feed numbers without seeds and proofs.
--   messages … unsubscribed, recipient_open, recipient_click, opt_outs: as in base_live
--   total_open, total_click: hits in the cut
SELECT
    delivery_id AS delivery,
    if(known = '', 'Unknown', known) AS value,
    countIf(stated AND seed = 0) AS messages,
    countIf(stated AND seed = 0 AND state = 1) AS sent,
    countIf(stated AND seed = 0 AND state = 2) AS deferred,
    countIf(stated AND seed = 0 AND state = 3) AS bounced_soft,
    countIf(stated AND seed = 0 AND state = 4) AS bounced_hard,
    countIf(stated AND seed = 0 AND state = 5) AS rejected,
    countIf(stated AND seed = 0 AND state = 6) AS delivered,
    countIf(seed = 0 AND bitTest(kinds, 5)) AS complained,
    countIf(seed = 0 AND (bitTest(kinds, 7) OR done > 0)) AS unsubscribed,
    countIf(seen > 0) AS recipient_open,
    countIf(click > 0) AS recipient_click,
    countIf(done > 0) AS opt_outs,
    sum(open) AS total_open,
    sum(click) AS total_click
FROM
(
    SELECT delivery_id, message_id, max(said) AS known, max(from_feed) AS stated, max(seed) AS seed,
        bitAnd(bitShiftRight(max(last), 4), 15) AS state, groupBitOr(kinds) AS kinds,
        sum(seen) AS seen, sum(open) AS open, sum(click) AS click, sum(done) AS done
    FROM
    (
        SELECT delivery_id, message_id, attributes[{attribute:String}] AS said, 1 AS from_feed, seed, last, kinds,
            0 AS seen, 0 AS open, 0 AS click, 0 AS done
        FROM message_state
        WHERE delivery_id IN {deliveries:Array(UInt64)}
        UNION ALL
        SELECT delivery_id, message_id, '', 0, 0, 0, 0,
            if({people:UInt8} = 1, seen_p, seen), if({people:UInt8} = 1, open_p, open),
            if({people:UInt8} = 1, click_p, click), if({people:UInt8} = 1, optout_done_p, optout_done)
        FROM message_activity
        WHERE delivery_id IN {deliveries:Array(UInt64)}
    )
    GROUP BY delivery_id, message_id
)
GROUP BY delivery, value
HAVING messages > 0 OR recipient_open > 0 OR opt_outs > 0
ORDER BY delivery, value
