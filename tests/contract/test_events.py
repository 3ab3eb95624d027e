"""Events: one parser that never raises, and golden lines that decode for ever."""

from __future__ import annotations

import json
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.errors import Invalid
from sendtrail.events import FEED, HITS, MAX_EVENT_BYTES, Event, Kind, RejectReason, decode, encode
from sendtrail.partitions import partition_of
from tests.contract.examples import examples
from tests.support.golden import Golden, golden_events
from tests.support.strategies import events, relabels

LEAST = b'{"v":1,"id":"%s","k":"open","t":5' % (b"0a" * 16)


def set_fields(event: Event) -> dict[str, Any]:
    """What is not the default: a field that a later release adds leaves this as it is."""
    wire = json.loads(encode(event))
    return {f.name: getattr(event, f.name) for f in msgspec.structs.fields(event) if f.encode_name in wire}


def _example(name: str, event: Event) -> dict[str, Any]:
    line = encode(event).decode()
    explicit = json.loads(line) | {"i": event.index, "a": event.account, "fl": event.flags, "zz_later_field": [1]}
    return {
        "name": name,
        "line": json.dumps(explicit, ensure_ascii=True),
        "reencoded": line,
        "fields": set_fields(event),
        "partition": {str(count): partition_of(event, count) for count in (4, 24)},
    }


@pytest.mark.parametrize("kind", get_args(Kind))
def test_this_release_makes_the_frozen_lines(kind: str, golden: Golden) -> None:
    made = [_example(name, event) for name, event in examples()[kind].items()]
    golden.check(f"events/v1/{kind}.json", made)


@pytest.mark.parametrize("example", golden_events(), ids=lambda e: f"v{e['version']}-{e['kind']}-{e['name']}")
def test_golden_events_decode_reencode_and_stay_in_their_partition(example: dict[str, Any]) -> None:
    event = decode(example["line"].encode())
    assert isinstance(event, Event)
    assert set_fields(event) == example["fields"]
    assert event.kind == example["kind"]
    assert encode(event).decode() == example["reencoded"]
    assert decode(example["reencoded"].encode()) == event
    assert {n: partition_of(event, int(n)) for n in example["partition"]} == example["partition"]


def test_kinds_are_hits_feed_and_relabel() -> None:
    assert {"relabel"} | HITS | FEED == set(get_args(Kind))
    assert {e["kind"] for e in golden_events()} == set(get_args(Kind))


@given(events | relabels)
def test_round_trip(event: Event) -> None:
    line = encode(event)
    assert b"\n" not in line
    assert decode(line) == event


@given(st.binary(max_size=300))
def test_any_bytes_decode_to_a_value(data: bytes) -> None:
    read = decode(data)
    assert isinstance(read, Event) or read.reason in get_args(RejectReason)


@given(events, st.data())
def test_any_damage_of_a_line_decodes_to_a_value(event: Event, data: st.DataObject) -> None:
    line = bytearray(encode(event))
    for _ in range(data.draw(st.integers(1, 4))):
        line[data.draw(st.integers(0, len(line) - 1))] = data.draw(st.integers(0, 255))
    read = decode(bytes(line))
    assert isinstance(read, Event) or read.reason in get_args(RejectReason)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from([f.encode_name for f in msgspec.structs.fields(Event)]), json_values)
def test_any_json_value_in_any_field_decodes_to_a_value(wire_name: str, value: Any) -> None:
    line = json.dumps(json.loads(LEAST + b"}") | {wire_name: value}).encode()
    read = decode(line)
    assert isinstance(read, Event) or read.reason in get_args(RejectReason)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "undecodable"),
        (b"\x00", "undecodable"),
        (b"[]", "bad_field"),
        (b"[" * 100_000, "bad_field"),
        (LEAST + b',"zz":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "undecodable"),
        (LEAST + b"}{}", "undecodable"),
        (LEAST + b',"ua":"\\ud800"}', "undecodable"),
        (LEAST + b',"ua":"\xff"}', "undecodable"),
        (b'{"v":2,"id":7,"k":"something_new"}', "bad_version"),
        (LEAST.replace(b'"v":1', b'"v":2') + b"}", "bad_version"),
        (LEAST.replace(b"0a0a", b"0A0A") + b"}", "bad_id"),
        (LEAST.replace(b"0a0a", b"zzzz") + b"}", "bad_id"),
        (LEAST.replace(b"0a0a", b"") + b"}", "bad_field"),
        (LEAST.replace(b'"t":5', b'"t":281474976710656') + b"}", "bad_time"),
        (LEAST.replace(b'"t":5', b'"t":-1') + b"}", "bad_field"),
        (LEAST + b',"d":18446744073709551616}', "bad_field"),
        (LEAST + b',"r":99999999999999999999999999}', "bad_field"),
        (LEAST + b',"u":4294967296}', "bad_field"),
        (LEAST + b',"p":65536}', "bad_field"),
        (LEAST + b',"i":9223372036854775808}', "bad_field"),
        (LEAST + b',"d":1.5}', "bad_field"),
        (LEAST + b',"d":true}', "bad_field"),
        (LEAST + b',"vi":"short"}', "bad_field"),
        (LEAST + b',"x":{"1":"","2":"","3":"","4":"","5":"","6":"","7":"","8":"","9":""}}', "bad_field"),
        (LEAST.replace(b"open", b"relabel") + b"}", "bad_field"),
        (LEAST.replace(b"open", b"web") + b"}", "bad_field"),
        (LEAST.replace(b"open", b"transaction") + b',"site":"s"}', "bad_field"),
        (LEAST.replace(b"open", b"nothing") + b"}", "bad_field"),
        (LEAST + b" " * MAX_EVENT_BYTES + b"}", "too_large"),
    ],
)
def test_bad_lines_have_a_reason(line: bytes, reason: str) -> None:
    read = decode(line)
    assert isinstance(read, Invalid)
    assert read.reason == reason


def test_keys_of_64_bits_and_unknown_fields_pass() -> None:
    event = decode(LEAST + b',"d":18446744073709551615,"later":{"a":[1]}}')
    assert isinstance(event, Event)
    assert event.delivery == 2**64 - 1
