"""Readers and scanners at a steady rate: real HTTP requests with signed links, each hit known by its user agent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from random import Random

from sendtrail.keyring import Keyring
from sendtrail.links import Link, LinkKind, mint, url_of
from tests.chaos.http import Connection, NoAnswer, NotSent
from tests.chaos.sent import Sent

DELIVERIES = (1, 2, 3, 4)
_MESSAGES = 300
_LINKS = 8
_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0 chaos/{}"
_SWEEP_CHANCE = 0.02
_STATUS = {"open": 200, "click": 302}


class Readers:
    """Hits on one edge: opens, clicks, and now and then a sweep of all links of a message, as scanners do."""

    def __init__(self, keys: Keyring, edge: str, port: int, first: int, step: int, dice: Random) -> None:
        """Hits are numbered `first`, `first + step`, …: two edges share no number."""
        self._keys, self._edge, self._port = keys, edge, port
        self._number, self._step, self._dice = first, step, dice
        self._links: dict[tuple[str, int, int, int], str] = {}

    def run(self, sent: Sent, per_second: float, stop: threading.Event) -> None:
        """Send until stopped."""
        connection = Connection(self._port)
        for kind, delivery, message, link in paced(self._hits(), per_second, stop):
            self._hit(sent, connection, kind, self._path(kind, delivery, message, link))
        connection.close()

    def _hits(self) -> Iterator[tuple[LinkKind, int, int, int]]:
        while True:
            delivery, message = self._dice.choice(DELIVERIES), self._dice.randrange(1, _MESSAGES)
            if self._dice.random() < _SWEEP_CHANCE:
                yield from (("click", delivery, message, link) for link in range(1, _LINKS + 1))
            elif self._dice.random() < 0.5:
                yield "open", delivery, message, 0
            else:
                yield "click", delivery, message, self._dice.randrange(1, _LINKS + 1)

    def _path(self, kind: LinkKind, delivery: int, message: int, link: int) -> str:
        known = self._links.get((kind, delivery, message, link))
        if known is None:
            to = f"https://shop.example.com/{link}" if kind == "click" else ""
            made = Link(kind, delivery, message, message, url_id=link, position=link, destination=to)
            known = self._links[kind, delivery, message, link] = url_of("", kind, mint(self._keys.active, made))
        return known

    def _hit(self, sent: Sent, connection: Connection, kind: LinkKind, path: str) -> None:
        number = self._number = self._number + self._step
        address = f"198.51.{number % 100}.{number // 100 % 250}"
        headers = {"Host": "t.example", "User-Agent": _AGENT.format(number), "X-Forwarded-For": address}
        if self._edge in sent.clocks_ahead:
            sent.ahead.add(number)
        try:
            status = connection.request("GET", path, headers).status
        except NotSent:
            return
        except NoAnswer:
            sent.silent_hits[number] = self._edge
            return
        finally:
            if self._edge in sent.clocks_ahead:
                sent.ahead.add(number)
        sent.hits[number] = self._edge
        if status != _STATUS[kind]:
            sent.problems.append(f"hit {number} on {self._edge}: {kind} was answered with {status}")


def paced(
    things: Iterator[tuple[LinkKind, int, int, int]],
    per_second: float,
    stop: threading.Event,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[tuple[LinkKind, int, int, int]]:
    """So many a second until stopped; what a frozen server held up is not made good for."""
    due = clock()
    for thing in things:
        due = max(due + 1 / per_second, clock() - 1 / per_second)
        if stop.wait(max(0.0, due - clock())):
            return
        yield thing
