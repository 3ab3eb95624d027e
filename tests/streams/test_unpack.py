"""A record -> its lines, or one refusal that counts as its header says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sendtrail.packs import MAX_EVENTS, PackHeader, headers_of
from streams.items import SourceRecord
from streams.steps.unpack import MAX_SOURCE_BYTES, unpack
from tests.streams.making import NOW, SPOOL, hit, source


def refused(value: bytes, headers: list[tuple[str, bytes]]) -> tuple[str, int]:
    record = unpack(SourceRecord(5, NOW, value, headers), 5)
    assert record.refusal is not None
    assert record.items == []
    return record.refusal.reason, record.refusal.events


def test_a_sound_pack_gives_its_lines_in_order() -> None:
    record = unpack(source(5, [hit(1), hit(2)], segment=3), 4)
    assert record.refusal is None
    assert [item.found.source_index for item in record.items] == [0, 1]
    assert {item.found.source_offset for item in record.items} == {5}
    assert (record.source_from, record.origin.segment) == (4, 3)


def test_a_record_without_headers_is_one_bad_pack() -> None:
    assert refused(b'{"v":1}', []) == ("bad_pack", 1)


def test_another_count_than_the_header_says_counts_as_the_header_says() -> None:
    headers = headers_of(PackHeader(SPOOL, 0, 0, 9, 7))
    assert refused(b"{}\n{}", headers) == ("bad_pack", 7)


def test_another_pack_version_is_refused_whole() -> None:
    assert refused(b"{}", headers_of(PackHeader(SPOOL, 0, 0, 0, 1, version=2))) == ("bad_version", 1)


def test_more_events_than_a_pack_may_have_are_refused_whole() -> None:
    number = MAX_EVENTS + 1
    assert refused(b"\n".join([b"{}"] * number), headers_of(PackHeader(SPOOL, 0, 0, number, number))) == (
        "bad_pack",
        number,
    )


def test_a_record_of_another_order_of_size_is_refused_whole() -> None:
    assert refused(b"x" * (MAX_SOURCE_BYTES + 1), headers_of(PackHeader(SPOOL, 0, 0, 3, 4))) == ("too_large", 4)
    assert refused(b"", [("totals", b"x" * MAX_SOURCE_BYTES)]) == ("too_large", 1)


def test_a_pack_of_totals_has_no_lines() -> None:
    record = unpack(source(0, []), 0)
    assert record.refusal is None
    assert record.items == []


@given(
    st.binary(max_size=200),
    st.lists(st.tuples(st.sampled_from(["v", "spool", "seg", "first", "last", "n", "totals", "x"]), st.binary())),
)
def test_no_bytes_make_it_raise(value: bytes, headers: list[tuple[str, bytes]]) -> None:
    record = unpack(SourceRecord(0, NOW, value, headers), 0)
    assert record.refusal is not None or record.pack is not None
