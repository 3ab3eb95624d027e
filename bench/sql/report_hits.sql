-- Hits {first} … of a delivery: some recipients far more active than others, most soon after the contact date; machines;
-- repeats; one hit in two hundred re-labelled, which makes three rows.
INSERT INTO events (delivery_id, event_id, rev, sign, kind, event_time, message_id, recipient_key, source, hit, class,
    repeat, reasons, ruleset, url_id, position, destination, how, person, user_agent, address, client, client_version,
    os, device, network, country, site, order_id, amount, currency, articles, src_topic, src_offset, src_index, log_time)
WITH
    cityHash64({delivery:UInt64}, number, 'hit') AS h,
    bitAnd(h, 1048575) / 1048576. AS u1,
    bitAnd(bitShiftRight(h, 20), 1048575) / 1048576. AS u2,
    bitShiftRight(h, 40) AS rest,
    toUInt64(floor(pow(u1, 2.2) * {messages:UInt64})) AS mixed,
    (mixed * 7919 + 13) % {messages:UInt64} AS message,
    cityHash64({delivery:UInt64}, message) AS m,
    rest % 1000 AS k,
    multiIf(k < 640, 'open', k < 955, 'click', k < 965, 'optout', k < 970, 'mirror', k < 995, 'web', 'transaction') AS what,
    least({contact:Int64} + toInt64(-log(1 - u2) * 72000000), {contact:Int64} + 5184000000) AS ms,
    m % 20 AS agent,
    m % 100 < 12 OR rest % 100 < 3 AS automatic,
    what = 'open' AND rest % 17 = 0 AS again,
    what IN ('click', 'optout', 'mirror') ? 1 + toUInt32(pow(bitAnd(bitShiftRight(h, 12), 1023) / 1024., 2) * 30) : 0 AS link,
    if(rest % 200 = 0 AND NOT automatic, [(0, 1, 0), (0, -1, 0), (1, 1, 1)], [(0, 1, automatic)]) AS judged
SELECT
    {delivery:UInt64}, reinterpretAsFixedString(byteSwap(bitShiftLeft(toUInt128(ms), 80) + cityHash64(h, 1))),
    judgement.1, judgement.2, what, fromUnixTimestamp64Milli(ms, 'UTC'), message, m % 20000000, 'edge',
    NOT again, if(judgement.3, 'machine', if(m % 7 = 0, 'unknown', 'human')), again,
    if(judgement.3, ['known_bot', 'burst', 'burst,datacenter', 'prefetch'][1 + m % 4], ''), '1',
    link, if(link = 0, 0, link + if(m % 10 = 0, 32768, 0)),
    if(link = 0, '', concat('https://shop.example/products/', toString(link), '?from=letter')),
    if(what = 'optout', ['view', 'form', 'one_click'][1 + rest % 3], ''),
    bitShiftLeft(toUInt128({delivery:UInt64}), 64) + message,
    concat('Mozilla/5.0 (device ', toString(m % 300), ') AppleWebKit/605.1.15 (KHTML, like Gecko)'),
    concat('10.', toString(bitAnd(m, 255)), '.', toString(bitAnd(bitShiftRight(m, 8), 255)), '.', toString(bitAnd(bitShiftRight(m, 16), 255))),
    ['Gmail', 'Apple Mail', 'Outlook', 'Safari', 'Chrome', 'Firefox', 'Edge', 'Samsung Mail', 'Thunderbird', ''][1 + agent % 10],
    toString(10 + agent), ['iOS', 'Android', 'Windows', 'macOS', 'Linux'][1 + agent % 5],
    ['phone', 'desktop', 'tablet'][1 + agent % 3], ['', 'AS64500', 'AS64501', 'AS64502'][1 + m % 4],
    ['ES', 'FR', 'DE', 'IT', 'PT', 'GB', 'US', ''][1 + m % 8],
    if(what IN ('web', 'transaction'), 'shop.example', ''), if(what = 'transaction', concat('o', toString(h)), ''),
    if(what = 'transaction', 500 + rest % 20000, 0), if(what = 'transaction', ['EUR', 'USD'][1 + m % 2], ''),
    if(what = 'transaction', 1 + rest % 5, 0),
    '00000000-0000-4000-8000-000000000001', 1000000 + intDiv(number, 200), number % 200, fromUnixTimestamp64Milli(ms + 700, 'UTC')
FROM numbers({first:UInt64}, {count:UInt64})
ARRAY JOIN judged AS judgement
