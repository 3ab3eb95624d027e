"""Partitions, as FORMATS spells them."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.events import Event
from sendtrail.partitions import message_partition, partition_of
from tests.support.strategies import keys


def _event(kind: str, **fields: Any) -> Event:
    return Event(version=1, event_id="0a" * 16, kind=kind, event_time_ms=5, **fields)  # type: ignore[arg-type]


def _spelled_out(over: bytes, count: int) -> int:
    return int(hashlib.blake2b(over).hexdigest()[:16], 16) % count


@given(keys, keys, st.sampled_from([1, 4, 24]))
def test_by_delivery_and_message(delivery: int, message: int, count: int) -> None:
    expected = _spelled_out(bytes.fromhex(f"{delivery:016x}{message:016x}"), count)
    assert message_partition(delivery, message, count) == expected
    assert partition_of(_event("click", delivery=delivery, message=message), count) == expected


@pytest.mark.parametrize("key", [-1, 2**64])
def test_a_key_outside_64_bits_has_no_partition(key: int) -> None:
    with pytest.raises(OverflowError):
        message_partition(key, 1, 4)
    with pytest.raises(OverflowError):
        partition_of(Event(version=1, event_id="0" * 32, kind="open", event_time_ms=0, message=key), 4)


def test_transactions_by_site_and_order() -> None:
    over = b"\0\0\0\x01s\0\0\0\x03o-1"
    sale = _event("transaction", site="s", order_id="o-1", delivery=3, message=4, visitor="ab" * 16)
    assert partition_of(sale, 24) == _spelled_out(over, 24)


def test_visits_without_a_delivery_by_site_and_visitor() -> None:
    over = b"\0\0\0\x01s\0\0\0\x20" + b"ab" * 16
    assert partition_of(_event("web", site="s", visitor="ab" * 16), 24) == _spelled_out(over, 24)
    known = _event("web", site="s", visitor="ab" * 16, delivery=3, message=4)
    assert partition_of(known, 24) == message_partition(3, 4, 24)


@pytest.mark.parametrize(
    "target",
    [
        {"kind": "open", "delivery": 3, "message": 4},
        {"kind": "open", "delivery": 0, "message": 0},
        {"kind": "web", "site": "s", "visitor": "ab" * 16},
        {"kind": "web", "site": "s", "visitor": "ab" * 16, "delivery": 3, "message": 4},
        {"kind": "transaction", "site": "s", "order_id": "o-1", "delivery": 3, "message": 4},
    ],
)
def test_a_relabel_follows_its_target(target: dict[str, Any]) -> None:
    routed = {name: value for name, value in target.items() if name != "kind"}
    relabel = _event("relabel", target_id="0a" * 16, new_class="machine", **routed)
    assert partition_of(relabel, 24) == partition_of(_event(**target), 24)
