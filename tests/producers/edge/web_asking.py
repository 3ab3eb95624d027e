"""An edge with registered sites, and what the web tag of their pages sends to it."""

import json
from dataclasses import dataclass, field
from typing import Any

from producers.edge.collect import collect
from producers.edge.known import Known, known_of
from producers.edge.replies import Reply
from producers.edge.request import Request
from sendtrail.events import Event
from sendtrail.keyring import Keyring, new_keyring
from sendtrail.links import Link, mint
from sendtrail.metrics import METRICS
from sendtrail.settings import Config

NOW = 1_700_000_000_123
SHOP = b"https://www.shop.example"
SITES = ["shop=https://www.shop.example", "shop=http://localhost:8000", "blog=https://blog.example"]
REASONS = METRICS["sendtrail_edge_bad_web_hits_total"].values["reason"]


@dataclass
class Edge:
    """Keys, sites, and a way to ask."""

    keyring: Keyring = field(default_factory=new_keyring)
    cookies: str = "off"
    per_minute: int = 3

    def __post_init__(self) -> None:
        settings = {"sites": SITES, "unsigned_per_minute": self.per_minute}
        config = Config({"edge": settings, "tracking": {"visitor_cookies": self.cookies}})
        self.known: Known = known_of(self.keyring, config)

    def web_id(self, **fields: Any) -> str:
        return mint(self.keyring.active, Link("web", 17, 7, **{"recipient": 99, **fields}))

    def ask(self, method: bytes, target: str, body: bytes = b"", **headers: bytes) -> tuple[Reply, Event | None]:
        named = {b"origin": SHOP, **{name.replace("_", "-").encode(): value for name, value in headers.items()}}
        request = Request(method, target, "192.0.2.1", {name: value for name, value in named.items() if value}, body)
        return collect(request, self.known, NOW, bytes)

    def post(self, fields: object, **headers: bytes) -> tuple[Reply, Event | None]:
        return self.ask(b"POST", "/w", json.dumps(fields).encode(), **headers)

    def refusal(self, fields: object, **headers: bytes) -> str:
        reply, event = self.post(fields, **headers)
        assert (reply.status, reply.body, event) == (204, b"", None)
        assert reply.reason in REASONS
        return reply.reason


def visit(**more: Any) -> dict[str, Any]:
    return {"site": "shop", "page": "https://www.shop.example/basket", **more}


def order(**more: Any) -> dict[str, Any]:
    return visit(order="A-1", amount=1999, currency="EUR", articles=2, **more)
