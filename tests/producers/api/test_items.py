"""Items to events: ids that repeat, names, bounce reasons, and nothing that raises."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.api.items import KINDS, REASONS, ItemReader
from sendtrail.errors import Invalid
from sendtrail.events import FLAG_PROOF, FLAG_SEED, Event, decode, encode
from sendtrail.ids import id_time_ms
from sendtrail.naming import key
from tests.support.strategies import names

NAMING_KEY = bytes(range(32))
NOW_MS = 1_795_512_600_000
READER = ItemReader(NAMING_KEY)
SENT = {"kind": "sent", "time": NOW_MS - 5000, "delivery": "spring", "message": "m1"}

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def read(item: Any) -> Event | Invalid:
    return READER.read(msgspec.json.encode(item), NOW_MS)


def event_of(item: Any) -> Event:
    event = read(item)
    assert isinstance(event, Event), event
    return event


def test_a_full_item() -> None:
    event = event_of(
        {
            "kind": "prepared", "time": "2026-11-24T09:29:59.5Z", "delivery": "spring", "message": 7,
            "recipient": "Zoë", "domain": "Example.COM", "format": "multipart", "id": "evt-1",
            "seed": True, "proof": True,
            "attributes": {"segment": "gold"},
        }
    )  # fmt: skip
    assert event == Event(
        version=1, event_id=event.event_id, kind="prepared", event_time_ms=NOW_MS - 500, source="api",
        delivery=key(NAMING_KEY, "", "delivery", "spring"), delivery_name="spring", message=7, message_name="7",
        recipient=key(NAMING_KEY, "", "recipient", "Zoë"), recipient_name="Zoë", domain="example.com",
        format="multipart", provider_event_id="evt-1", flags=FLAG_SEED | FLAG_PROOF, attributes={"segment": "gold"},
    )  # fmt: skip
    assert id_time_ms(event.event_id) == event.event_time_ms


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_the_feed(kind: str) -> None:
    assert event_of(SENT | {"kind": kind}).kind == kind


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_of_a_bounce(reason: str) -> None:
    assert event_of(SENT | {"kind": "bounced", "reason": reason}).reason == reason


def test_a_bounce_without_a_reason_is_other() -> None:
    assert event_of(SENT | {"kind": "bounced"}).reason == "other"
    assert event_of(SENT | {"kind": "deferred"}).reason == ""


def test_a_retry_has_the_same_id_whatever_the_order_of_its_fields() -> None:
    again = dict(reversed(SENT.items()))
    assert event_of(SENT).event_id == event_of(again).event_id
    later = READER.read(msgspec.json.encode(SENT), NOW_MS + 86_400_000)
    assert isinstance(later, Event)
    assert later.event_id == event_of(SENT).event_id


@pytest.mark.parametrize(
    "change", [{"message": "m2"}, {"kind": "delivered"}, {"time": NOW_MS - 4999}, {"seed": True}, {"id": "x"}]
)
def test_another_item_has_another_id(change: dict[str, object]) -> None:
    assert event_of(SENT | change).event_id != event_of(SENT).event_id


def test_with_an_id_of_its_own_only_time_and_id_decide() -> None:
    one = event_of(SENT | {"id": "evt-1"})
    assert event_of(SENT | {"id": "evt-1", "diagnostic": "seen again"}).event_id == one.event_id
    assert event_of(SENT | {"id": "evt-2"}).event_id != one.event_id


def test_other_keys_other_ids() -> None:
    other = ItemReader(bytes(32)).read(msgspec.json.encode(SENT), NOW_MS)
    assert isinstance(other, Event)
    assert other.event_id != event_of(SENT).event_id


def test_a_long_diagnostic_is_kept_in_part() -> None:
    event = event_of(SENT | {"kind": "bounced", "diagnostic": "x" * 5000})
    assert len(event.diagnostic) == 2048
    assert isinstance(decode(encode(event)), Event)


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({"kind": "sent", "delivery": 1, "message": 2}, "time_missing"),
        (SENT | {"time": None}, "time_missing"),
        (SENT | {"time": "yesterday"}, "bad_time"),
        (SENT | {"time": 946_684_799_999}, "bad_time"),
        (SENT | {"time": NOW_MS + 86_400_001}, "bad_time"),
        (SENT | {"delivery": None}, "bad_name"),
        (SENT | {"message": ""}, "bad_name"),
        (SENT | {"message": "x" * 129}, "bad_name"),
        (SENT | {"recipient": 1.5}, "bad_name"),
        (SENT | {"recipient": True}, "bad_name"),
        (SENT | {"message": -1}, "bad_name"),
        (SENT | {"message": 2**63}, "bad_name"),
        (SENT | {"kind": "open"}, "bad_field"),
        (SENT | {"knid": "sent"}, "bad_field"),
        (SENT | {"domain": 5}, "bad_field"),
        (SENT | {"domain": "d" * 257}, "bad_field"),
        (SENT | {"seed": "yes"}, "bad_field"),
        (SENT | {"id": ""}, "bad_field"),
        (SENT | {"kind": "bounced", "reason": "hard"}, "bad_field"),
        (SENT | {"reason": "policy"}, "bad_field"),
        (SENT | {"kind": "delivered", "attributes": {"a": "b"}}, "bad_field"),
        (SENT | {"attributes": {str(number): "" for number in range(9)}}, "bad_field"),
        (SENT | {"attributes": {"a": 1}}, "bad_field"),
        ([], "undecodable"),
        ("sent", "undecodable"),
        (None, "undecodable"),
    ],
)
def test_why_an_item_is_refused(item: object, reason: str) -> None:
    refused = read(item)
    assert isinstance(refused, Invalid)
    assert refused.reason == reason
    assert refused.detail
    assert "$" not in refused.detail


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"a":"\\ud800"}', b"[" * 100_000, b'{"kind":"sent",}'])
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    refused = READER.read(raw, NOW_MS)
    assert isinstance(refused, Invalid)
    assert refused.reason == "undecodable"


@given(st.dictionaries(st.sampled_from([*SENT, "recipient", "domain", "reason", "id", "attributes"]), anything))
def test_no_item_raises_and_what_is_taken_decodes(change: dict[str, object]) -> None:
    event = READER.read(json.dumps(SENT | change).encode(), NOW_MS)
    if isinstance(event, Event):
        assert decode(encode(event)) == event


@given(names, names, st.none() | names)
def test_any_good_name_is_taken_and_kept(delivery: str, message: str, recipient: str | None) -> None:
    event = event_of(SENT | {"delivery": delivery, "message": message, "recipient": recipient})
    assert (event.delivery_name, event.message_name, event.recipient_name) == (delivery, message, recipient or "")
    assert decode(encode(event)) == event
