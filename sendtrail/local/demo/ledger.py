"""The generator's own books against ClickHouse, row by row."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from clickhouse_driver import Client

from sendtrail.gateways import resolve
from sendtrail.keyring import Keyring
from sendtrail.links import ReadLink
from sendtrail.local.demo.traffic import ONE_CLICK, Request

_STORED = """
SELECT kind, delivery_id, message_id, recipient_key, url_id, position, destination, how, address, user_agent,
       has(hints, 'head') AS head, sum(sign) AS times, uniqExact(event_id) AS ids
FROM events
WHERE delivery_id IN ({deliveries:Array(UInt64)}) AND kind IN ('open', 'click', 'optout', 'mirror')
GROUP BY ALL
HAVING times != 0
"""


class Hit(NamedTuple):
    """What tells one hit from another; equal hits are counted."""

    kind: str
    delivery: int
    message: int
    recipient: int | None
    url_id: int
    position: int
    destination: str
    how: str
    address: str
    user_agent: str
    head: bool


class Balance(NamedTuple):
    """Ledger against table. `lost`: sent and not stored; `twice`: stored more often than sent.

    `others`: hits that the demo did not send, as by somebody who followed a link of its letters.
    """

    sent: int
    stored: int
    lost: int
    twice: int
    others: int

    @property
    def even(self) -> bool:
        """True when every answered hit is stored once."""
        return self.lost == 0 and self.twice == 0

    def __str__(self) -> str:
        others = f"; {self.others} of others" if self.others else ""
        return f"ledger: {self.sent} hits sent, {self.stored} stored, {self.lost} lost, {self.twice} twice{others}"


class Ledger:
    """Counts every answered request whose link is valid."""

    def __init__(self, keys: Keyring, kept: Callable[[str], str] | None) -> None:
        """`kept`: what the loader makes of an address (loader.addresses); None: it stays."""
        self._keys = keys
        self._kept = kept or str
        self._hits: Counter[Hit] = Counter()
        self.sent = 0

    def add(self, request: Request) -> None:
        """Enter one answered request. Raises ValueError for a link this installation did not sign."""
        found = resolve(self._keys, "/" + request.url.split("/", 3)[3])
        if not isinstance(found, ReadLink):
            raise ValueError(f"the demo sent a link it can't read: {found.reason}")
        link = found.link
        hit = Hit(
            link.kind, link.delivery, link.message, link.recipient, link.url_id, link.position, link.destination,
            _how(request) if link.kind == "optout" else "", self._kept(request.address), request.user_agent,
            request.method == "HEAD",
        )  # fmt: skip
        self._hits[hit] += 1
        self.sent += 1

    def compare(self, client: Client, deliveries: Iterable[int]) -> Balance:
        """Every hit of the ledger against the rows of these deliveries."""
        return self.against(client.execute(_STORED, {"deliveries": list(deliveries)}))

    def against(self, rows: Iterable[tuple[Any, ...]]) -> Balance:
        """The ledger against rows of equal hits: the fields of Hit, the sum of signs, and the number of event ids."""
        stored: Counter[Hit] = Counter()
        repeated = others = 0
        for *fields, head, times, ids in rows:
            hit = Hit._make([*fields, bool(head)])
            if hit in self._hits:
                stored[hit] += ids
                repeated += abs(times - ids)
            else:
                others += ids
        lost = sum((self._hits - stored).values())
        twice = sum((stored - self._hits).values()) + repeated
        return Balance(self.sent, sum(stored.values()), lost, twice, others)


def _how(request: Request) -> str:
    if request.method != "POST":
        return "view"
    return "one_click" if request.body == ONE_CLICK else "form"
