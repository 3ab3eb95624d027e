"""Two events of each kind, least and most: what the golden files of version 1 are made from."""

from __future__ import annotations

from typing import Any

from sendtrail.events import Event
from sendtrail.ids import transaction_id

_TIME = 1_790_000_000_123
_LARGE = 2**64 - 1
_HIT: dict[str, Any] = {
    "version": 1, "event_time_ms": _TIME, "index": 41, "account": "shop", "source": "edge", "delivery": 2**63 + 7,
    "message": _LARGE, "recipient": 2**53 + 1, "flags": 3, "visitor": "ab" * 16, "visitor_is_new": True,
    "user_agent": 'Mozilla/5.0 (Gerät; "x") ', "address": "2001:db8::1", "referrer": "https://mail.example/?q=ä",
    "hints": ["head", "prefetch", "gpc", "proxy"],
}  # fmt: skip
_PLACE: dict[str, Any] = {
    "url_id": _LARGE >> 32,
    "position": 65535,
    "destination": "https://shop.example/ä?b=1&c=%20#d&e",
}
_FED: dict[str, Any] = {
    "version": 1, "event_time_ms": _TIME, "index": 7, "account": "shop", "source": "sendgrid", "delivery": 12,
    "message": 345, "recipient": 0, "delivery_name": "12", "message_name": "345",
    "recipient_name": "ана@пример.example", "provider_event_id": "e-1", "provider_hints": ["sg_machine_open"],
    "domain": "example.com",
}  # fmt: skip
_SALE: dict[str, Any] = {
    "site": "shop.example", "order_id": "A-1001", "amount": -1999, "currency": "EUR", "articles": 3,
    "page": "https://shop.example/thanks?order=A-1001",
}  # fmt: skip

_FULL: dict[str, dict[str, Any]] = {
    "open": _HIT,
    "click": _HIT | _PLACE,
    "optout": _HIT | _PLACE | {"how": "one_click"},
    "mirror": _HIT | _PLACE | {"destination": ""},
    "web": _HIT | {"delivery": 0, "message": 0, "recipient": None, "site": "shop.example", "page": _SALE["page"]},
    "transaction": _HIT | _SALE,
    "prepared": _FED | {"format": "multipart", "attributes": {f"a{i}": f"v{i}" for i in range(8)}},
    "sent": _FED | {"format": "text", "attributes": {"segment": "gold"}},
    "delivered": _FED,
    "deferred": _FED | {"reason": "mailbox_full", "diagnostic": "452 4.2.2 over quota"},
    "bounced": _FED | {"reason": "unknown_user", "diagnostic": "550 5.1.1 no such user \u2028 ✗"},
    "complained": _FED,
    "rejected": _FED | {"reason": "policy"},
    "unsubscribed": _FED | {"how": "form"},
    "relabel": {
        "version": 1, "event_time_ms": _TIME, "source": "tool", "delivery": 12, "message": 345, "target_id": "cd" * 16,
        "new_class": "machine", "new_repeat": False, "reasons": ["burst", "known_agent"], "ruleset": "2026-11-01",
        "run": "r-7",
    },
}  # fmt: skip


def examples() -> dict[str, dict[str, Event]]:
    """Kind -> name -> event."""
    return {
        kind: {"full": _event(kind, f"{number:02x}", full), "least": _event(kind, f"{number:02x}", _least(kind))}
        for number, (kind, full) in enumerate(_FULL.items(), start=1)
    }


def _event(kind: str, digits: str, fields: dict[str, Any]) -> Event:
    if kind == "transaction":
        event_id = transaction_id(fields.get("account", ""), fields["site"], fields["order_id"])
    else:
        event_id = _TIME.to_bytes(6, "big").hex() + digits * 10
    return Event(event_id=event_id, kind=kind, **fields)  # type: ignore[arg-type]


def _least(kind: str) -> dict[str, Any]:
    least: dict[str, Any] = {"version": 1, "event_time_ms": _TIME}
    if kind in ("web", "transaction"):
        least["site"] = "shop.example"
    if kind == "transaction":
        least["order_id"] = "A-1001"
    if kind == "relabel":
        least |= {"target_id": "cd" * 16, "new_class": "human"}
    return least
