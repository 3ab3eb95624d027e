"""Hits on one message, each with a user agent of its own, so that every single one is found again."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from sendtrail.links import Link, mint, url_of
from sendtrail.naming import key
from tests.line.running import Line, until
from tests.support.stack import random_name

ADDRESS = "192.0.2.7"
DESTINATION = "https://shop.example.com/tulips?colour=red#top"
_PAUSE_S = 0.01
_TIMEOUT_S = 30.0
_STORED = "SELECT user_agent, sum(sign), uniqExact(event_id) FROM events WHERE delivery_id = %(d)s GROUP BY user_agent"


class Mailing:
    """A delivery with a random name, of one message to one recipient, and its links."""

    def __init__(self, line: Line, message: str = "m1", recipient: str = "anna") -> None:
        self.line = line
        self.name = random_name("line")
        self.message = message
        self.delivery_key = self._key("delivery", self.name)
        self.message_key = self._key("message", message)
        self.recipient_key = self._key("recipient", recipient)
        self.pixel = self.link("open")
        self.click = self.link("click", DESTINATION)

    def link(self, kind: Any, destination: str = "") -> str:
        """A link of this message, by the key that mints now."""
        link = Link(kind, self.delivery_key, self.message_key, self.recipient_key, 0, 1, destination)
        return url_of(self.line.endpoints["edge"], kind, mint(self.line.keys().active, link))

    def item(self, kind: str, **fields: Any) -> dict[str, Any]:
        """An item for the feed API about this message."""
        now_ms = time.time_ns() // 1_000_000
        return {"delivery": self.name, "message": self.message, "kind": kind, "time": now_ms, **fields}

    def stored(self) -> int:
        """Rows of this delivery."""
        counted = self.line.rows("SELECT sum(sign) FROM events WHERE delivery_id = %(d)s", d=self.delivery_key)
        return int(counted[0][0])

    def wait_for(self, rows: int) -> None:
        """Wait until this many rows are there."""
        until(lambda: self.stored() >= rows, f"{rows} rows of {self.name}")
        assert self.stored() == rows

    def _key(self, kind: Any, name: str) -> int:
        return key(self.line.keys().naming_key, "", kind, name)


class Traffic:
    """Readers who open and click without pause. What got no answer may be stored once or not at all."""

    def __init__(self, mailing: Mailing) -> None:
        self._mailing = mailing
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="traffic")
        self.answered: set[str] = set()
        self.unknown: set[str] = set()
        self.wrong: list[int] = []

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Traffic while the block runs."""
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()

    def wait_for_more(self, hits: int) -> None:
        """Wait until so many further hits have been answered."""
        goal = len(self.answered) + hits
        until(lambda: len(self.answered) >= goal, f"{hits} further hits are answered")

    def check(self) -> None:
        """Wait until everything answered is stored, then: each once, nothing else."""
        assert self.wrong == []
        until(lambda: self.answered <= set(self._rows()), f"{len(self.answered)} answered hits are stored")
        rows = self._rows()
        assert {agent: found for agent, found in rows.items() if found != (1, 1)} == {}
        assert set(rows) <= self.answered | self.unknown

    def _rows(self) -> dict[str, tuple[int, int]]:
        found = self._mailing.line.rows(_STORED, d=self._mailing.delivery_key)
        return {agent: (times, ids) for agent, times, ids in found}

    def _go_on(self) -> None:
        with httpx.Client(trust_env=False, timeout=_TIMEOUT_S) as client:
            number = 0
            while not self._stop.wait(_PAUSE_S):
                number += 1
                self._hit(client, f"Mozilla/5.0 (X11; Linux x86_64) reader/{number}", number % 2 == 0)

    def _hit(self, client: httpx.Client, agent: str, opens: bool) -> None:
        url = self._mailing.pixel if opens else self._mailing.click
        try:
            status = client.get(url, headers={"User-Agent": agent, "X-Forwarded-For": ADDRESS}).status_code
        except httpx.TransportError:
            self.unknown.add(agent)
            return
        self.answered.add(agent)
        if status != (200 if opens else 302):
            self.wrong.append(status)
