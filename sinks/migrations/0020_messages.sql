-- Columns as in: v_messages, message_state.
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
    bitTest(s.kinds, 0) AS prepared,          -- 1 = the feed says that it was prepared
    s.kinds > 1 AS fed,                       -- 1 = the feed says more than that it was prepared
    bitTest(s.kinds, 5) AS complained,      -- 1 = with a complaint
    bitTest(s.kinds, 7) AS unsubscribed,      -- 1 = by the feed; confirmed opt-outs are in message_activity
    s.attributes AS attributes
FROM {database}.message_state AS s FINAL
COMMENT 'message_state for reading, state and reason by name. Grain: one row per message the feed tells of. Read: filter by delivery_id; for everybody else there is v_messages.'
