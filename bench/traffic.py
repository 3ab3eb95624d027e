"""Events for benchmarks of the worker: `campaign`, as a sending makes them, and `hits`, the dearest of them alone."""

import heapq
import random
import secrets
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from sendtrail.deliveries import Delivery, DeliveryUrl, key_of
from sendtrail.events import Event, Kind, encode
from sendtrail.ids import hit_id
from sendtrail.packs import PackHeader, headers_of, join
from sendtrail.partitions import partition_of

AGENTS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{n}.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS {m}_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:{n}.0) Gecko/20100101 Thunderbird/{n}.4.1",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "Mozilla/5.0",
]
DELIVERIES = 20
LINKS = 30
RESENT = 0.01  # of events: sent twice
LATE, LATE_MS = 0.1, 3_600_000  # of hits: come up to an hour late
#: Of a campaign: how many of its messages …
BOUNCED, OPENED, PREFETCHED, CLICKED, SWEPT = 0.02, 0.35, 0.15, 0.05, 0.03
OPENS, CLICKS, SWEEP = 1.8, 1.4, 10  # of one of those, on average; a scanner follows so many links within a second
SCANNED_MS, READ_MS = 43_000, 5_400_000  # medians after the sending

#: (partition, value, headers) of a record of tracking.events.
Pack = tuple[int, bytes, list[tuple[str, bytes]]]


class Arrival(NamedTuple):
    """An event and when it comes, UTC milliseconds."""

    at_ms: int
    number: int
    event: Event


def hits(start_ms: int, rate: int, rnd: random.Random) -> Iterator[Arrival]:
    """`rate` hits a second, each of a message of its own: 70 % opens, 30 % clicks."""
    for number in range(1 << 62):
        now = start_ms + number * 1000 // rate
        at = now - (rnd.randrange(LATE_MS) if rnd.random() < LATE else rnd.randrange(500))
        message = 1 + rnd.randrange(DELIVERIES), rnd.getrandbits(63), 2**63 + rnd.getrandbits(62)
        yield Arrival(now, number, _hit("click" if rnd.random() < 0.3 else "open", at, *message, rnd))


def campaign(start_ms: int, rate: int, rnd: random.Random) -> Iterator[Arrival]:
    """`rate` messages a second, what is fed of each, and what comes back of them, in order of arrival."""
    waiting: list[Arrival] = []
    number = 0
    for message in range(1 << 62):
        now = start_ms + message * 1000 // rate
        while waiting and waiting[0].at_ms <= now:
            yield heapq.heappop(waiting)
        for at, event in _of_message(now, rnd):
            heapq.heappush(waiting, Arrival(at, number, event))
            number += 1


def _of_message(now: int, rnd: random.Random) -> Iterator[tuple[int, Event]]:
    delivery, message, recipient = 1 + rnd.randrange(DELIVERIES), rnd.getrandbits(63), 2**63 + rnd.getrandbits(62)
    bounced = rnd.random() < BOUNCED
    feed: list[tuple[Kind, int]] = [("prepared", 0), ("sent", 200), ("bounced" if bounced else "delivered", 2_000)]
    for kind, after in feed:
        yield now + after + 500, _fed(kind, now + after, delivery, message, recipient, rnd)
    if bounced:
        return
    kinds: list[tuple[Kind, float]] = []
    if rnd.random() < OPENED:
        kinds += [("open", READ_MS)] * _several(OPENS, rnd)
    if rnd.random() < PREFETCHED:
        kinds.append(("open", SCANNED_MS))
    if rnd.random() < CLICKED:
        kinds += [("click", READ_MS)] * _several(CLICKS, rnd)
    for kind, median in kinds:
        at = now + 2_000 + int(median * rnd.lognormvariate(0, 1))
        yield _come(at, rnd), _hit(kind, at, delivery, message, recipient, rnd)
    if rnd.random() < SWEPT:
        begin, scanner = now + int(SCANNED_MS * rnd.lognormvariate(0, 0.5)), random.Random(rnd.random())
        for link in range(SWEEP):
            at = begin + link * 90
            event = _hit("click", at, delivery, message, recipient, scanner)
            event.url_id, event.user_agent, event.address = link, AGENTS[0].format(n=120), f"198.51.100.{message % 256}"
            yield at + 500, event


def _several(mean: float, rnd: random.Random) -> int:
    number = 1
    while rnd.random() < 1 - 1 / mean:
        number += 1
    return number


def _come(at: int, rnd: random.Random) -> int:
    return at + (rnd.randrange(LATE_MS) if rnd.random() < LATE else rnd.randrange(500))


def _hit(kind: Kind, at: int, delivery: int, message: int, recipient: int, rnd: random.Random) -> Event:
    event = Event(
        version=1, event_id=hit_id(at, rnd.randbytes), kind=kind, event_time_ms=at, source="edge", delivery=delivery,
        message=message, recipient=recipient,
        user_agent=rnd.choice(AGENTS).format(n=rnd.randrange(90, 130), m=rnd.randrange(12, 18)),
        address=".".join(str(byte) for byte in rnd.randbytes(4)),
    )  # fmt: skip
    if kind == "click":
        event.url_id, event.position = rnd.randrange(LINKS), rnd.randrange(1, 60)
        event.destination = f"https://shop.example/products/{rnd.randrange(1000)}?source=mail&campaign=summer"
    return event


def _fed(kind: Kind, at: int, delivery: int, message: int, recipient: int, rnd: random.Random) -> Event:
    event = Event(
        version=1, event_id=hit_id(at, rnd.randbytes), kind=kind, event_time_ms=at, source="api", delivery=delivery,
        message=message, recipient=recipient,
    )  # fmt: skip
    if kind == "prepared":
        event.delivery_name, event.message_name = f"delivery {delivery}", f"message-{message:x}"
        event.recipient_name, event.domain, event.format = f"customer-{recipient:x}", "mail.example", "multipart"
        event.attributes = {"segment": "regular"}
    elif kind == "bounced":
        event.reason, event.diagnostic = "mailbox_full", "452 4.2.2 The recipient's mailbox is over its quota"
    return event


def registered() -> Iterator[tuple[str, Delivery | DeliveryUrl]]:
    """The deliveries of the events and their links, under their record keys."""
    for number in range(1, 1 + DELIVERIES):
        delivery = Delivery(
            delivery=number, name=f"delivery {number}", label=f"Newsletter {number}", campaign="Summer", type="news"
        )
        yield key_of(delivery), delivery
        for url_id in range(LINKS):
            url = DeliveryUrl(
                delivery=number, url_id=url_id, url="https://shop.example/", label=f"link {url_id}", category="shop"
            )
            yield key_of(url), url


def numbered(arrivals: Iterable[Arrival], number: int, rnd: random.Random) -> Iterator[Arrival]:
    """So many of them, with their index in the spool; some of the last few thousand come again."""
    last: list[Event] = []
    index = 0
    for arrival in arrivals:
        last.append(arrival.event)
        arrival.event.index = index
        again = [Arrival(arrival.at_ms, index, rnd.choice(last))] if rnd.random() < RESENT else []
        for one in (arrival, *again):
            if index == number:
                return
            yield one
            index += 1
        if len(last) > 5000:
            del last[:1000]


def packs(
    arrivals: Iterable[Arrival], number: int, size: int, partitions: int, rnd: random.Random
) -> Iterator[tuple[int, Pack]]:
    """`number` events in packs of `size`, and when each comes. Hits and feed come through spools of their own."""
    spools = {True: secrets.token_hex(16), False: secrets.token_hex(16)}
    waiting: dict[tuple[int, bool], list[Event]] = {}
    at = 0
    for at, _, event in numbered(arrivals, number, rnd):
        place = partition_of(event, partitions), event.source == "edge"
        waiting.setdefault(place, []).append(event)
        if len(waiting[place]) == size:
            yield at, _pack(place[0], spools[place[1]], waiting.pop(place))
    for (partition, edge), rest in waiting.items():
        yield at, _pack(partition, spools[edge], rest)


def _pack(partition: int, spool: str, pack: list[Event]) -> Pack:
    indexes = [event.index for event in pack]
    return partition, join(map(encode, pack)), headers_of(PackHeader(spool, 0, min(indexes), max(indexes), len(pack)))


class Traffic(NamedTuple):
    """`make(start, rate, random)`; `rate`: messages or hits a second of log time; events each of them makes, about."""

    make: Callable[[int, int, random.Random], Iterator[Arrival]]
    rate: int
    events: float


TRAFFIC = {"campaign": Traffic(campaign, 12, 3.7), "hits": Traffic(hits, 50_000, 1)}
