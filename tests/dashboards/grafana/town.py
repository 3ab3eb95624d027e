"""Tables with everything that panels show: the random world, and beside it what its happenings do not say."""

from __future__ import annotations

from random import Random

from clickhouse_driver import Client

from tests.dashboards.happenings import Registered, insert, register, register_urls, store_indicators
from tests.dashboards.world import HOUR, REGISTERED, T0, URLS, make

#: What panels are shown: the world's days.
SHOWN = ((T0 - 2 * HOUR) // 1000, (T0 + 96 * HOUR) // 1000)
ACCOUNT, CHANNEL, TEXTS = "north & south, ltd.", "sms", 77
_OTHER = Registered(TEXTS, "texts", account=ACCOUNT, label="Texts, 'quoted'", channel=CHANNEL, contact_ms=T0)

# Hits of two deliveries with clients, networks, reasons and rules; of each ten, one was judged again.
_JUDGED = f"""
INSERT INTO events (delivery_id, event_id, rev, sign, kind, event_time, message_id, hit, class, reasons, ruleset,
    history, url_id, position, client, client_version, os, device, network, person, how, domain)
SELECT
    if(number % 3 = 0, {TEXTS}, 1) AS delivery_id,
    unhex(concat(leftPad(hex(toUInt64(ms)), 12, '0'), leftPad(hex(number), 20, '0'))) AS event_id,
    number % 10 = 0 AS rev, 1 AS sign,
    ['open', 'click', 'optout', 'mirror', 'web'][1 + number % 5] AS kind, fromUnixTimestamp64Milli(ms) AS event_time,
    number % 500 AS message_id, 1 AS hit, if(number % 4 = 0, 'machine', 'human') AS class,
    if(number % 4 = 0, 'burst,known_network', '') AS reasons, '2026-11' AS ruleset,
    if(number % 10 = 0, [('t', number, 0, 1, 1, 0, '', '2026-10', '')], []) AS history,
    if(number % 5 IN (1, 2, 3), 11, 0) AS url_id, if(url_id = 0, 0, 1) AS position,
    ['Gmail', 'Outlook', 'Apple Mail'][1 + number % 3] AS client, '16' AS client_version, 'iOS' AS os,
    'phone' AS device,
    if(number % 4 = 0, 'Example Cloud', 'Example Home') AS network, number % 500 AS person,
    if(number % 5 = 2, 'form', '') AS how, 'example.org' AS domain
FROM (SELECT number, {T0} + (number * 7919) % {60 * HOUR} AS ms FROM numbers(4000))
"""
_FED = f"""
INSERT INTO events (delivery_id, event_id, rev, sign, kind, event_time, message_id, class, domain, format,
    reason)
SELECT {TEXTS}, unhex(leftPad(hex(number + 1000000), 32, '0')), 0, 1,
    ['sent', 'delivered', 'bounced', 'deferred'][1 + number % 4],
    fromUnixTimestamp64Milli(toInt64({T0} + number * 1000)),
    number, 'unknown', 'example.org', 'text', if(number % 4 > 1, 'unknown_user', '')
FROM numbers(400)
"""
_MONEY = f"""
INSERT INTO events (delivery_id, event_id, rev, sign, kind, event_time, message_id, hit, class, currency, amount,
    articles)
SELECT {TEXTS}, unhex(leftPad(hex(number + 2000000), 32, '0')), 0, 1, 'transaction',
    fromUnixTimestamp64Milli(toInt64({T0} + number * 60000)), number, 1, 'human', 'EUR', 1250, 2
FROM numbers(20)
"""
# Segments of five records each, the last with the totals, all of one edge; in each record duplicates and a reject.
_AUDIT = f"""
INSERT INTO audit (src_topic, src_partition, src_from, src_offset, enriched_offset, log_time, spool, segment, totals,
    minute, events_in, out, duplicate, resent, rejected, relabels, stored, late_duplicate, refused, relabelled)
SELECT 'topic-1', number % 2, intDiv(number, 2), intDiv(number, 2), intDiv(number, 2),
    fromUnixTimestamp64Milli({T0} + toInt64(number) * 60000), repeat('ab', 16), intDiv(number, 5),
    if(number % 5 = 4, '{{"edge": "edge", "events": 40, "previous": 40, "part": 0}}', ''),
    [intDiv({T0}, 60000) + number], [10], [7], [1], [2], [0], [0], [6], [0], [1], number % 3
FROM numbers(200)
"""
_REJECTS = f"""
INSERT INTO rejects (src_topic, src_partition, src_offset, src_index, stage, reject_key, reason, detail, original,
    record_time, count, log_time)
SELECT 'topic-1', number % 2, number, 0, 'streams', toString(number), ['bad_time', 'undecodable'][1 + number % 2],
    'why', '{{"k": "open"}}', at, 1, at
FROM (SELECT number, fromUnixTimestamp64Milli({T0} + toInt64(number) * 60000) AS at FROM numbers(50))
"""


def fill(client: Client) -> None:
    """Put it all into an empty database."""
    registered = [*REGISTERED, _OTHER]
    register(client, registered)
    register_urls(client, [(d.delivery, url_id, *told) for d in registered for url_id, told in URLS.items()])
    insert(client, make(seed=7, hits=4000).happenings, Random(2))
    for statement in (_JUDGED, _FED, _MONEY, _AUDIT, _REJECTS):
        client.execute(statement)
    store_indicators(client)
