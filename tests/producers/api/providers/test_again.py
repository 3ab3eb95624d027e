"""A webhook's item that became a reject, read again by its adapter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from producers.api.providers import kumomta, mailgun, postmark, sendgrid, sparkpost
from producers.api.providers.again import ReadAgain
from producers.api.providers.events import EventMaker
from producers.api.providers.found import Happening, Rejected
from sendtrail.errors import Invalid
from sendtrail.events import Event, encode
from sendtrail.settings import Config, ProvidersSettings

NAMING_KEY = bytes(32)
NOW_MS = 1_790_000_000_000
ITEM = {
    "event": "delivered", "timestamp": NOW_MS // 1000, "email": "a@example.com", "sg_event_id": "e-1",
    "sendtrail_delivery": "7", "sendtrail_message": "8",
}  # fmt: skip


def reject(item: Any, source: str = "sendgrid") -> bytes:
    """The bytes of a reject, as streams keep them."""
    return encode(EventMaker(NAMING_KEY, source, "").event(Rejected("unknown_type", "then unknown", item), NOW_MS))


def again(original: bytes) -> Event | Invalid | None:
    return ReadAgain(Config({}).section(ProvidersSettings), NAMING_KEY)(original, NOW_MS + 1000)


def test_an_item_that_is_understood_now_is_the_event_it_would_have_been() -> None:
    found = sendgrid.finding(ITEM)
    assert isinstance(found, Happening)
    assert again(reject(ITEM)) == EventMaker(NAMING_KEY, "sendgrid", "").event(found, NOW_MS + 1000)


@pytest.mark.parametrize(
    ("item", "source", "reason"),
    [
        ({**ITEM, "event": "waved"}, "sendgrid", "unknown_type"),
        ({"event": "delivered", "timestamp": 1_790_000_000}, "sendgrid", "unattributed"),
        (ITEM, "nobody", "unknown_type"),
        (b"\xff no JSON", "sendgrid", "unknown_type"),
    ],
)
def test_what_is_a_reject_still_says_why(item: Any, source: str, reason: str) -> None:
    outcome = again(reject(item, source))
    assert isinstance(outcome, Invalid)
    assert outcome.reason == reason


def test_what_is_no_webhook_s_item_is_left_to_others(tmp_path: Path) -> None:
    assert again(b"no event") is None
    assert again(encode(Event(version=1, event_id="0" * 32, kind="open", event_time_ms=0))) is None


@pytest.mark.parametrize("adapter", [sendgrid, mailgun, postmark, sparkpost, kumomta])
def test_every_adapter_reads_an_item_of_any_shape(adapter: Any) -> None:
    items: list[Any] = [{}, {"event": {}}, {"type": [], "id": None}, {"a": {"b": [1, None]}}]
    for item in items:
        assert isinstance(adapter.finding(item), Happening | Rejected)
