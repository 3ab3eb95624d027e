-- domain_health: states, reasons and opens by e-mail domain, in one pass. One row per delivery, domain, state and reason.
-- least: a domain of fewer messages of the delivery has domain '', so rows add up to the delivery. No seeds and proofs.
--   state          '' (none yet), sent, deferred, bounced_soft, bounced_hard, rejected or delivered
--   reason         of the closed list, '' where the state has none
--   messages       of the feed
--   opened         of these with any hit but a one-click unsubscribe in the cut (people = 1: human or unknown; 0: all)
SELECT delivery, if(size < {least:UInt64}, '', known) AS domain,
    ['', 'sent', 'deferred', 'bounced_soft', 'bounced_hard', 'rejected', 'delivered'][bitShiftRight(code, 4) + 1] AS state,
    ['', 'unknown_user', 'invalid_domain', 'refused', 'mailbox_full', 'unreachable', 'policy', 'spam', 'other']
        [bitAnd(code, 15) + 1] AS reason,
    sum(n) AS messages, sum(seen) AS opened
FROM
(
    SELECT delivery, known, code, n, seen, sum(n) OVER (PARTITION BY delivery, known) AS size
    FROM
    (
        SELECT delivery_id AS delivery, lower(domain) AS known, bitAnd(last, 255) AS code, count() AS n,
            countIf((delivery_id, message_id) IN
            (
                SELECT delivery_id, message_id FROM message_activity FINAL
                WHERE delivery_id IN {deliveries:Array(UInt64)} AND if({people:UInt8} = 1, seen_p, seen) > 0
            )) AS seen
        FROM message_state FINAL
        WHERE delivery_id IN {deliveries:Array(UInt64)} AND seed = 0
        GROUP BY delivery, known, code
    )
)
GROUP BY delivery, domain, state, reason
ORDER BY delivery, domain, state, reason
