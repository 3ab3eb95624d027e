-- messages: message_state for reading, one row per message, state and reason by name. Filter by delivery_id.
CREATE VIEW IF NOT EXISTS {database}.messages{on_cluster} AS
SELECT
    s.delivery_id AS delivery_id, s.message_id AS message_id, s.recipient_key AS recipient_key,
    s.recipient_name AS recipient_name, s.message_name AS message_name, s.domain AS domain, s.format AS format,
    s.seed AS seed,
    ['', 'sent', 'deferred', 'bounced_soft', 'bounced_hard', 'rejected', 'delivered']
        [bitAnd(bitShiftRight(s.last, 4), 15) + 1] AS state,
    ['', 'unknown_user', 'invalid_domain', 'refused', 'mailbox_full', 'unreachable', 'policy', 'spam', 'other']
        [bitAnd(s.last, 15) + 1] AS reason,
    if(s.last = 0, NULL, fromUnixTimestamp64Milli(toInt64(bitAnd(bitShiftRight(s.last, 8), 281474976710655)), 'UTC'))
        AS state_time,
    bitTest(s.kinds, 0) AS prepared,
    s.kinds > 1 AS fed,                       -- the feed says more than that it was prepared
    bitTest(s.kinds, 5) AS complained,
    bitTest(s.kinds, 7) AS unsubscribed,      -- by the feed; confirmed opt-outs are in message_activity
    s.attributes AS attributes
FROM {database}.message_state AS s FINAL
