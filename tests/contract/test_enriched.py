"""Rows and headers of tracking.enriched."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.enriched import (
    EnrichedHeader,
    EventRow,
    Mark,
    MinuteCounts,
    RejectRow,
    RelabelRow,
    Row,
    decode_row,
    encode_row,
    enriched_headers,
    read_enriched_headers,
)
from sendtrail.errors import Invalid
from sendtrail.events import Class, Event, encode
from sendtrail.packs import PackHeader, Totals
from tests.contract.examples import examples
from tests.support.golden import Golden
from tests.support.strategies import event_ids, events, plain_text, relabels

PLACE: dict[str, Any] = {"source_offset": 812, "source_index": 3}
FOUND: dict[str, Any] = {
    "class_": "machine", "class_reasons": ["known_agent"], "class_ruleset": "2026-11-01", "repeat": True,
    "marks": ["late", "expired"], "client": "Chrome", "client_version": "140.0", "os": "Android", "device": "phone",
    "network": "AS64500", "country": "ES", "person": "ab" * 16, "delivery_label": "Autumn",
    "url_label": "Shop", "campaign": "Autumn", "category": "offer", "type": "newsletter",
}  # fmt: skip
HEADER = EnrichedHeader(
    "b7e0c1d2-0000-4000-8000-0123456789ab", 810, 812,
    {"29833333": MinuteCounts(5, 3, 1, 0, 1), "29833334": MinuteCounts(events_in=2, out=1, resent=1, relabels=4)},
    PackHeader("0f" * 16, 12, 5, 900, 7), Totals("edge", 7, 0, {"0": {"29833333": 7}}),
)  # fmt: skip


def event_row(event: Event, **found: Any) -> EventRow:
    return EventRow(**msgspec.structs.asdict(event), **PLACE, **found)


def test_rows_are_frozen(golden: Golden) -> None:
    made = examples()
    rows: list[Row] = [
        event_row(made["click"]["full"], **FOUND),
        event_row(made["open"]["least"]),
        RelabelRow(**msgspec.structs.asdict(made["relabel"]["full"]), **PLACE),
        RejectRow(
            **PLACE, key="0a" * 16, reason="undecodable", detail="why", original=b"\x00\xff{", time_ms=5, count=2
        ),
        RejectRow(**PLACE, key="0a" * 16, reason="bad_pack"),
    ]
    lines = [encode_row(row) for row in rows]
    golden.check("enriched.json", [line.decode() for line in lines])
    assert [decode_row(line) for line in lines] == rows


found = st.fixed_dictionaries(
    {},
    optional={
        "class_": st.sampled_from(get_args(Class)),
        "class_reasons": st.lists(plain_text, max_size=3),
        "repeat": st.booleans(),
        "marks": st.lists(st.sampled_from(get_args(Mark)), unique=True),
        "client": plain_text,
        "person": event_ids,
        "delivery_label": plain_text,
        "type": plain_text,
    },
)
rows = st.one_of(
    st.builds(event_row, events).flatmap(
        lambda row: found.map(lambda more: msgspec.structs.replace(row, **more))
    ),
    relabels.map(lambda event: RelabelRow(**msgspec.structs.asdict(event), **PLACE)),
    st.builds(
        RejectRow, source_offset=st.integers(0, 2**63 - 1), source_index=st.integers(0, 10_000), key=event_ids,
        reason=plain_text, detail=plain_text, original=st.binary(max_size=80), time_ms=st.integers(0, 2**48),
        count=st.integers(1, 500),
    ),
)  # fmt: skip


@given(rows)
def test_rows_round_trip(row: Row) -> None:
    assert decode_row(encode_row(row)) == row


@given(events)
def test_a_row_may_be_spliced_from_the_events_own_line(event: Event) -> None:
    additions = b'"row":"event","so":812,"si":3,"class":"human","client":"Chrome"}'
    spliced = encode(event)[:-1] + b"," + additions
    assert decode_row(spliced) == event_row(event, class_="human", client="Chrome")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value(data: bytes) -> None:
    assert isinstance(decode_row(data), Invalid)


@pytest.mark.parametrize(
    "line", [b"{}", b'{"row":"else"}', b'{"row":"event"}', b"[" * 100_000, b'{"row":"reject","so":-1}']
)
def test_bad_rows_have_a_reason(line: bytes) -> None:
    assert isinstance(decode_row(line), Invalid)


def test_headers_byte_for_byte() -> None:
    assert enriched_headers(HEADER)[:4] == [
        ("src_topic_id", b"b7e0c1d2-0000-4000-8000-0123456789ab"),
        ("src_from", b"810"),
        ("src_offset", b"812"),
        (
            "counts",
            b'{"29833333":{"in":5,"out":3,"duplicate":1,"rejected":1},'
            b'"29833334":{"in":2,"out":1,"resent":1,"relabels":4}}',
        ),
    ]
    assert [name for name, _ in enriched_headers(HEADER)[4:]] == ["v", "spool", "seg", "first", "last", "n", "totals"]


def test_headers_round_trip() -> None:
    assert read_enriched_headers(enriched_headers(HEADER)) == HEADER
    bare = EnrichedHeader(HEADER.topic_id, 0, 0, {})
    assert read_enriched_headers(enriched_headers(bare)) == bare


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("src_topic_id", None), ("src_topic_id", b"\xff"), ("src_from", b"x"), ("src_from", b"1_0"),
        ("src_offset", None), ("counts", b"{"), ("counts", b'{"1":{"in":"x"}}'), ("counts", b"[" * 100_000),
        ("counts", b"\xff"),
    ],
)  # fmt: skip
def test_bad_headers_are_a_value(name: str, value: bytes | None) -> None:
    damaged = [(n, value if n == name else v) for n, v in enriched_headers(HEADER)]
    assert isinstance(read_enriched_headers(damaged), Invalid)
    assert isinstance(read_enriched_headers([h for h in damaged if h[0] != name]), Invalid)


def test_a_bad_pack_below_leaves_the_enriched_header_sound() -> None:
    headers = [(n, b"x" if n in ("seg", "totals") else v) for n, v in enriched_headers(HEADER)]
    read = read_enriched_headers(headers)
    assert isinstance(read, EnrichedHeader)
    assert (read.pack, read.totals, read.source_offset) == (None, None, 812)
