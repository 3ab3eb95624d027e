"""What a replay of a reject sends."""

from __future__ import annotations

from typing import Any

import pytest

from sendtrail.errors import Invalid
from sendtrail.events import Event, encode
from sendtrail.rejects import replayed

KEY = "0" * 11 + "1" + "ab" * 10
ID = "0123456789ab" + "cd" * 10


def event(**fields: Any) -> Event:
    whole: dict[str, Any] = {
        "kind": "click",
        "source": "edge",
        "destination": "https://shop.example/?a=1",
        "delivery": 7,
        "message": 8,
    }
    return Event(version=1, event_id=ID, event_time_ms=0x0123456789AB, **(whole | fields))


def test_an_event_of_ours_comes_again_under_the_reject_s_key() -> None:
    again = replayed(encode(event()), KEY)
    assert isinstance(again, Event)
    assert (again.event_id, again.source) == (KEY, "tool")
    assert (again.kind, again.event_time_ms, again.destination) == (
        "click",
        0x0123456789AB,
        "https://shop.example/?a=1",
    )


def test_a_provider_s_event_keeps_what_it_is() -> None:
    again = replayed(encode(event(source="sendgrid")), KEY)
    assert isinstance(again, Event)
    assert (again.event_id, again.source) == (ID, "sendgrid")


def test_an_order_keeps_the_id_that_makes_it_one() -> None:
    order = event(kind="transaction", site="shop", order_id="o-1", source="edge")
    order.event_id = "0" * 12 + "ef" * 10
    again = replayed(encode(order), KEY)
    assert isinstance(again, Event)
    assert again.event_id == "0" * 12 + "ef" * 10


@pytest.mark.parametrize(
    ("original", "reason"),
    [
        (b"\xff\xfe{", "undecodable"),
        (b"", "undecodable"),
        (b'{"v": 9}', "bad_version"),
        (encode(event(original='{"a": 1}', reason="unattributed")), "unattributed"),
        (encode(event(kind="relabel", target_id=ID, new_class="human")), "bad_field"),
    ],
)
def test_what_can_t_be_sent_again_says_why(original: bytes, reason: str) -> None:
    outcome = replayed(original, KEY)
    assert isinstance(outcome, Invalid)
    assert outcome.reason == reason
