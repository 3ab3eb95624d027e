-- reasons: why messages bounced, were rejected or wait, by e-mail domain. One row per domain, state and reason.
-- domains: as in query domains, whose rows these add up to. Messages of the feed without seeds and proofs.
--   state          bounced_hard, bounced_soft, rejected or deferred: the message's state now
--   reason         one of the closed list (METRICS)
--   messages       in that state for that reason
SELECT
    multiIf(known = '', 'Unknown', has({domains:Array(String)}, known), known, 'Others') AS domain,
    ['', 'deferred', 'bounced_soft', 'bounced_hard', 'rejected'][code_of_state] AS state,
    ['unknown_user', 'invalid_domain', 'refused', 'mailbox_full', 'unreachable', 'policy', 'spam', 'other']
        [bitAnd(newest, 15)] AS reason,
    count() AS messages
FROM
(
    SELECT lower(domain) AS known, last AS newest, bitAnd(bitShiftRight(last, 4), 15) AS code_of_state
    FROM message_state FINAL
    WHERE delivery_id IN {deliveries:Array(UInt64)} AND seed = 0 AND code_of_state IN (2, 3, 4, 5)
)
GROUP BY domain, state, reason
ORDER BY messages DESC, domain, state, reason
