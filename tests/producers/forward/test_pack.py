"""Packs: every event in exactly one, within bounds, in order; totals that add up."""

from __future__ import annotations

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.forward.pack import KeyedPacker, one_line
from producers.forward.parcel import Parcel, smaller
from producers.forward.route import APART, UNDATED
from producers.forward.tally import Tally
from sendtrail.deliveries import Delivery, decode_record, record_of
from sendtrail.errors import Invalid
from sendtrail.events import Event, decode, encode
from sendtrail.packs import MAX_BYTES, MAX_EVENTS, PackHeader, read_headers, read_totals, split
from sendtrail.partitions import message_partition, partition_of
from tests.producers.forward.parts import PARTITIONS, SPOOL, CountingOwner, header, hit, packer
from tests.support.strategies import events

lines = st.lists(events.map(encode) | st.binary(min_size=1, max_size=80), max_size=60)
large_lines = st.lists(st.integers(1, 400_000), max_size=12)


def packs_of(payloads: list[bytes]) -> list[Parcel]:
    """All parcels of a segment, batch by batch, its totals last."""
    making, parcels, at, batch = packer(), list[Parcel](), 0, 0
    while at < len(payloads):
        at += making.take(payloads, at, len(payloads))
        if making.full or at == len(payloads):
            parcels += making.cut(batch)
            batch += 1
    return parcels + making.closing(batch)


def pack_header(parcel: Parcel) -> PackHeader:
    found = read_headers(parcel.headers)
    assert not isinstance(found, Invalid)
    return found


@given(lines)
def test_every_event_is_in_exactly_one_pack(payloads: list[bytes]) -> None:
    parcels = packs_of(payloads)
    indexes = [index for parcel in parcels for index in parcel.indexes]
    assert sorted(indexes) == list(range(len(payloads)))
    for parcel in parcels:
        for index, line in zip(parcel.indexes, split(parcel.value), strict=True):
            assert line == one_line(payloads[index])


@given(lines)
def test_headers_say_what_is_inside(payloads: list[bytes]) -> None:
    for parcel in packs_of(payloads):
        said = pack_header(parcel)
        assert (said.spool, said.segment, said.events) == (SPOOL, 0, len(split(parcel.value)))
        if said.events:
            assert (said.first, said.last) == (parcel.indexes[0], parcel.indexes[-1])


@given(lines)
def test_events_are_in_their_partition_and_in_order(payloads: list[bytes]) -> None:
    last: dict[int, int] = {}
    for parcel in packs_of(payloads):
        for index in parcel.indexes:
            assert index > last.get(parcel.partition, -1)
            last[parcel.partition] = index
            event = decode(payloads[index])
            if not isinstance(event, Invalid):
                assert parcel.partition == partition_of(event, PARTITIONS)


@given(large_lines)
@settings(deadline=None)
def test_bounds_hold(sizes: list[int]) -> None:
    parcels = packs_of([b"x" * size for size in sizes])
    assert all(len(parcel.value) <= MAX_BYTES or parcel.events == 1 for parcel in parcels)


def test_a_pack_ends_at_its_most_events() -> None:
    same_message = [encode(hit(1)) for _ in range(2 * MAX_EVENTS + 1)]
    assert [parcel.events for parcel in packs_of(same_message)] == [MAX_EVENTS, MAX_EVENTS, 1, 0]


@given(lines)
def test_totals_add_up(payloads: list[bytes]) -> None:
    if not payloads:
        return
    *packs, last = packs_of(payloads)
    totals = read_totals(last.headers)
    assert totals is not None
    undated = sum(parcel.undated for parcel in packs)
    assert totals.events == len(payloads)
    for partition in range(PARTITIONS):
        sent = sum(parcel.events - parcel.undated for parcel in packs if parcel.partition == partition)
        assert sum(totals.counts.get(str(partition), {}).values()) == sent
    assert sum(sum(minutes.values()) for minutes in totals.counts.values()) == len(payloads) - undated
    assert last.partition == message_partition(0, 0, PARTITIONS)
    assert last.value == b""


def test_totals_are_split_when_large() -> None:
    tally = Tally()
    tally.add(0, dict.fromkeys(range(5), 1) | {UNDATED: 2})
    tally.add(3, dict.fromkeys(range(6), 2))
    tally.date(0, 77, 2)
    parts = tally.totals(header(4, previous=9), max_entries=5)
    assert [(part.part, part.parts, part.events, part.previous) for part in parts] == [
        (0, 3, 19, 9),
        (1, 3, 19, 9),
        (2, 3, 19, 9),
    ]
    counted = sum(count for part in parts for minutes in part.counts.values() for count in minutes.values())
    assert counted == 19
    assert parts[1].counts["0"] == {"77": 2}


def test_a_segment_without_events_has_no_totals() -> None:
    assert Tally().totals(header()) == []


def test_re_labels_are_no_events_but_their_segment_has_totals() -> None:
    tally = Tally()
    tally.add(0, {APART: 3})
    (totals,) = tally.totals(header())
    assert (totals.events, totals.counts) == (0, {})
    tally.add(0, {APART: 3, 7: 2})
    (totals,) = tally.totals(header())
    assert (totals.events, totals.counts) == (2, {"0": {"7": 2}})


@given(st.lists(events.map(encode), min_size=1, max_size=40))
def test_a_pack_too_large_becomes_smaller_ones(payloads: list[bytes]) -> None:
    todo, singles = [parcel for parcel in packs_of(payloads) if parcel.events], list[Parcel]()
    while todo:
        parcel = todo.pop(0)
        if parcel.events == 1:
            singles.append(parcel)
        else:
            todo = smaller(parcel) + todo
    assert sorted(parcel.indexes[0] for parcel in singles) == list(range(len(payloads)))
    assert all(parcel.value == payloads[parcel.indexes[0]] for parcel in singles)
    assert all(pack_header(parcel).first == pack_header(parcel).last == parcel.indexes[0] for parcel in singles)


def test_an_event_too_large_is_cut_down_to_a_reject() -> None:
    whole = encode(hit(1))[:-1] + b',"ua":"' + b"x" * 100_000 + b'"}'
    parcel, sizes = packs_of([whole])[0], list[int]()
    while parts := smaller(parcel):
        (parcel,) = parts
        sizes.append(len(parcel.value))
        assert isinstance(decode(parcel.value), Invalid)
        assert pack_header(parcel).events == 1
    assert sizes[0] == len(whole) // 2
    assert 1024 <= sizes[-1] < 2048


def test_registry_records_are_keyed_and_in_order() -> None:
    entries = [Delivery(delivery=number % 3, label=f"label {number}") for number in range(10)]
    making = KeyedPacker("deliveries", CountingOwner())
    payloads = [record_of(entry) for entry in entries]
    payloads.insert(4, b"not a record")
    assert making.take(payloads, 0, len(payloads)) == len(payloads)
    parcels = making.cut(0)
    assert [decode_record(parcel.key, parcel.value) for parcel in parcels] == entries
    assert {(parcel.topic, parcel.partition) for parcel in parcels} == {("deliveries", 0)}
    assert all(not parcel.headers for parcel in parcels)
    assert making.closing(1) == []


@given(st.binary())
def test_one_line_is_one_line(payload: bytes) -> None:
    line = one_line(payload)
    assert b"\n" not in line
    assert line == payload or b"\n" in payload
    assert len(line) == len(payload)


def test_json_over_several_lines_keeps_its_meaning() -> None:
    event: Event = hit(3)
    spread = msgspec.json.format(encode(event), indent=2)
    assert b"\n" in spread
    assert decode(one_line(spread)) == event
