-- The feed of messages {first} … of a delivery: sent and then delivered or bounced, sometimes a complaint or opt-out.
INSERT INTO events (delivery_id, event_id, rev, sign, kind, event_time, message_id, recipient_key, source, class,
    recipient_name, domain, format, reason, src_topic, src_offset, src_index, log_time)
WITH
    cityHash64({delivery:UInt64}, number) AS h,
    multiIf(h % 100 < 3, 'bounced', 'delivered') AS final,
    arrayFilter(one -> one.1 != '',
        [('sent', 0), (final, 1), (if(h % 1000 = 500, 'complained', ''), 2),
         (if(h % 1000 IN (501, 502, 503), 'unsubscribed', ''), 3), (if(h % 100 = 77, 'deferred', ''), 4)]) AS kinds,
    {contact:Int64} + intDiv(number * 3600000, {messages:UInt64}) + told.2 * (5000 + h % 60000) AS ms,
    cityHash64(h, told.2) AS bits
SELECT
    {delivery:UInt64}, reinterpretAsFixedString(byteSwap(bitShiftLeft(toUInt128(ms), 80) + bits)), 0, 1, told.1,
    fromUnixTimestamp64Milli(ms, 'UTC'), number, h % 20000000, 'api', 'unknown',
    concat('r', toString(h % 20000000), '@example.org'),
    ['gmail.com', 'outlook.com', 'yahoo.com', 'icloud.com', 'hotmail.com', 'web.de', 'gmx.de', 'orange.fr',
     concat('company', toString(h % 997), '.example')][toUInt8(1 + least(8, intDiv(bitAnd(h, 1023), 110)))],
    if(h % 50 = 7, 'text', 'multipart'),
    if(told.1 = 'bounced', ['unknown_user', 'mailbox_full', 'spam', 'invalid_domain'][1 + bits % 4], ''),
    '00000000-0000-4000-8000-000000000001', intDiv(number, 200), number % 200, fromUnixTimestamp64Milli(ms + 700, 'UTC')
FROM numbers({first:UInt64}, {count:UInt64})
ARRAY JOIN kinds AS told
