"""The forwarder routes as the contract says, without decoding whole events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.forward.route import APART, UNDATED, router
from sendtrail.errors import Invalid
from sendtrail.events import Event, decode, encode
from sendtrail.ids import id_time_ms
from sendtrail.packs import minute_of
from sendtrail.partitions import message_partition, partition_of
from tests.support.golden import golden_events
from tests.support.strategies import events, relabels


@given(events | relabels, st.integers(1, 64))
def test_routes_as_the_contract(event: Event, partitions: int) -> None:
    minute = APART if event.kind == "relabel" else minute_of(id_time_ms(event.event_id))
    expected = (partition_of(event, partitions), minute)
    assert router(partitions)(encode(event)) == expected


@pytest.mark.parametrize("example", golden_events(), ids=lambda example: example["name"])
def test_routes_golden_events(example: dict[str, str]) -> None:
    line = example["line"].encode()
    event = decode(line)
    expected = message_partition(0, 0, 4) if isinstance(event, Invalid) else partition_of(event, 4)
    assert router(4)(line)[0] == expected


@given(st.binary(max_size=200))
def test_anything_has_a_route(line: bytes) -> None:
    partition, minute = router(3)(line)
    assert 0 <= partition < 3
    assert minute >= APART


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[1]",
        b'{"v":1}',
        b'{"v":1,"id":"xyz","k":"open","d":1,"m":2}',
        b'{"v":9,"id":"019b76da9a000000000000000000000a","k":"open","d":1,"m":2}',
        b'{"v":1,"id":"019b76da9a000000000000000000000a","k":"open","d":18446744073709551616,"m":2}',
        b'{"v":1,"id":"019b76da9a000000000000000000000a","k":"open","d":-1,"m":2}',
        b'{"v":1,"id":"019b76da9a000000000000000000000a","k":"web","site":"\xff"}',
        b'{"v":1,"id":7,"k":"open","d":1,"m":2}',
    ],
)
def test_what_cannot_be_decoded_goes_where_nothing_is_known(line: bytes) -> None:
    assert router(4)(line) == (message_partition(0, 0, 4), UNDATED)
