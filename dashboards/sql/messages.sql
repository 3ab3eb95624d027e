-- messages: a page of the messages of deliveries, latest state first. One row per message; no seeds and proofs.
-- states: codes of table message_state (0 none yet, 1 sent, 2 deferred, 3 bounced_soft, 4 bounced_hard, 5 rejected,
-- 6 delivered), empty = any.
--   delivery, message, recipient: keys, the last NULL where not told;  message_name, recipient_name: '' where not told
--   domain, format: of the feed
--   state, reason: by name, '' where there is none;  state_time: of the event that made it, NULL without a state
--   complained, unsubscribed: 1 where the feed says so
SELECT
    delivery_id AS delivery, message_id AS message, recipient_key AS recipient, message_name, recipient_name, domain, format,
    ['', 'sent', 'deferred', 'bounced_soft', 'bounced_hard', 'rejected', 'delivered']
        [bitAnd(bitShiftRight(last, 4), 15) + 1] AS state,
    ['', 'unknown_user', 'invalid_domain', 'refused', 'mailbox_full', 'unreachable', 'policy', 'spam', 'other']
        [bitAnd(last, 15) + 1] AS reason,
    if(last = 0, NULL, fromUnixTimestamp64Milli(toInt64(bitAnd(bitShiftRight(last, 8), 281474976710655)), 'UTC')) AS state_time,
    bitTest(kinds, 5) AS complained, bitTest(kinds, 7) AS unsubscribed
FROM message_state FINAL
WHERE delivery_id IN {deliveries:Array(UInt64)} AND (delivery_id, message_id) IN
(
    SELECT delivery_id, message_id
    FROM message_state FINAL
    WHERE delivery_id IN {deliveries:Array(UInt64)} AND seed = 0
        AND (empty({states:Array(UInt8)}) OR has({states:Array(UInt8)}, bitAnd(bitShiftRight(last, 4), 15)))
    ORDER BY bitAnd(bitShiftRight(last, 8), 281474976710655) DESC, delivery_id, message_id
    LIMIT {limit:UInt64} OFFSET {offset:UInt64}
)
ORDER BY bitAnd(bitShiftRight(last, 8), 281474976710655) DESC, delivery_id, message_id
