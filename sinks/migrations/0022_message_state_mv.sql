CREATE MATERIALIZED VIEW IF NOT EXISTS {database}.message_state_mv{on_cluster} TO {database}.message_state AS
WITH
    multiIf(kind = 'sent', 1, kind = 'deferred', 2,
            kind = 'bounced', if(reason IN ('unknown_user', 'invalid_domain'), 4, 3),
            kind = 'rejected', 5, kind = 'delivered', 6, 0) AS state,
    if(kind IN ('bounced', 'rejected', 'deferred'),
       transform(toString(reason), ['unknown_user', 'invalid_domain', 'refused', 'mailbox_full', 'unreachable', 'policy', 'spam'],
                 [1, 2, 3, 4, 5, 6, 7], 8), 0) AS reason_code
SELECT
    delivery_id, message_id, recipient_key, recipient_name, message_name, domain, format, seed,
    toUInt8(bitShiftLeft(1, toInt8(kind) - 10)) AS kinds,
    if(state = 0, 0, bitShiftLeft(toUInt64(state >= 3), 56)
        + bitShiftLeft(toUInt64(toUnixTimestamp64Milli(event_time)), 8) + state * 16 + reason_code) AS last,
    attributes
FROM {database}.events
WHERE toInt8(kind) >= 10 AND sign = 1
COMMENT 'Feeds message_state from every insert into events.'
