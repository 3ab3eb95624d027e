"""An edge without a socket: keys, settings, and a way to ask."""

from collections.abc import Mapping
from typing import Any

from producers.edge.collect import collect
from producers.edge.known import Known, known_of
from producers.edge.replies import Reply
from producers.edge.request import Request
from sendtrail.events import Event
from sendtrail.keyring import Keyring, new_keyring
from sendtrail.links import Link, LinkKind, mint, url_of
from sendtrail.settings import Config

NOW = 1_790_000_000_000
KEYS = new_keyring()
URL_ID = 5


class Asked:
    """What came back."""

    def __init__(self, reply: Reply, event: Event | None) -> None:
        self.status, self.body, self.route, self.reason = (
            reply.status,
            reply.body.decode(errors="replace"),
            reply.route,
            reply.reason,
        )
        self.reply = reply
        self.event = event
        self.headers = reply.headers.decode().split("\r\n")[:-1]

    def header(self, name: str) -> str | None:
        """The value of a header, None without it."""
        return next((line.partition(": ")[2] for line in self.headers if line.startswith(f"{name}: ")), None)

    @property
    def cookies(self) -> list[str]:
        """The cookies set."""
        return [line[12:] for line in self.headers if line.startswith("Set-Cookie: ")]

    @property
    def hit(self) -> Event:
        """The event, which must be there."""
        assert self.event is not None
        return self.event


class Edge:
    """Settings as the tables of a settings file."""

    def __init__(self, tables: Mapping[str, Mapping[str, Any]] | None = None, keys: Keyring = KEYS) -> None:
        self.keys = keys
        self.known: Known = known_of(keys, Config(tables or {}))

    def path(self, kind: LinkKind, destination: str = "", **fields: Any) -> str:
        """A signed link of message 2 of delivery 1."""
        values = {"delivery": 1, "message": 2, "recipient": 3, "url_id": URL_ID, "position": 1} | fields
        return url_of("", kind, mint(self.keys.active, Link(kind, destination=destination, **values)))

    def ask(self, target: str, method: bytes = b"GET", body: bytes = b"", **headers: bytes | str) -> Asked:
        """Names of headers with _ for -."""
        named = {
            name.replace("_", "-").encode(): value.encode() if isinstance(value, str) else value
            for name, value in headers.items()
        }
        return Asked(*collect(Request(method, target, "192.0.2.1", named, body), self.known, NOW, bytes))
