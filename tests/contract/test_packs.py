"""Packs: headers and lines; bad headers are a value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.errors import Invalid
from sendtrail.packs import (
    PackHeader,
    Totals,
    claimed_events,
    headers_of,
    join,
    minute_of,
    read_headers,
    read_totals,
    split,
)

HEADER = PackHeader("0f" * 16, 12, 5, 900, 3)
SOUND: list[tuple[str, bytes | None]] = list(headers_of(HEADER))
TOTALS = Totals("edge", 10, 7, {"0": {"29833333": 4}, "3": {"29833333": 5, "29833334": 1}})


def test_headers_byte_for_byte() -> None:
    assert headers_of(HEADER) == [
        ("v", b"1"), ("spool", b"0f" * 16), ("seg", b"12"), ("first", b"5"), ("last", b"900"), ("n", b"3"),
    ]  # fmt: skip
    with_totals = headers_of(HEADER._replace(events=0), TOTALS)[-1]
    assert with_totals == (
        "totals",
        b'{"edge":"edge","events":10,"previous":7,"counts":{"0":{"29833333":4},"3":{"29833333":5,"29833334":1}}}',
    )


@given(
    st.builds(
        PackHeader,
        st.binary(min_size=16, max_size=16).map(bytes.hex),
        st.integers(0, 2**63 - 1),
        st.integers(0, 1000),
        st.integers(2000, 2**63 - 1),
        st.integers(0, 1000),
        st.just(1),
    )
)
def test_header_round_trip(header: PackHeader) -> None:
    assert read_headers(headers_of(header)) == header


def test_totals_round_trip_and_their_absence() -> None:
    assert read_totals(headers_of(HEADER, TOTALS)) == TOTALS
    assert read_totals(SOUND) is None
    for damaged in (b"", b"{", b"[]", b'{"edge":1}', b"\xff", b"[" * 100_000, None):
        assert read_totals([*SOUND, ("totals", damaged)]) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("v", None), ("v", b""), ("v", b"x"), ("seg", b"-1"), ("seg", b"1_0"), ("seg", b" 1"), ("n", b"9" * 20),
        ("first", "١".encode()), ("spool", b"0F" * 16), ("spool", b"0f" * 15), ("spool", b"0f " * 16),
        ("spool", b"\xff" * 32), ("spool", None), ("n", b"897"),
    ],
)  # fmt: skip
def test_bad_headers_are_a_value(name: str, value: bytes | None) -> None:
    read = read_headers([(n, value if n == name else v) for n, v in SOUND])
    assert isinstance(read, Invalid)
    assert read.reason == "bad_pack"


@pytest.mark.parametrize("missing", ["v", "spool", "seg", "first", "last", "n"])
def test_missing_headers_are_a_value(missing: str) -> None:
    read = read_headers([(n, v) for n, v in SOUND if n != missing])
    assert isinstance(read, Invalid)
    assert missing in read.detail


@given(st.lists(st.tuples(st.sampled_from(["v", "spool", "seg", "first", "last", "n"]), st.none() | st.binary())))
def test_any_headers_read_to_a_value(headers: list[tuple[str, bytes | None]]) -> None:
    assert isinstance(read_headers(headers), PackHeader | Invalid)
    assert claimed_events(headers) >= 1


def test_a_bad_pack_counts_as_its_header_says() -> None:
    assert claimed_events(SOUND) == 3
    assert claimed_events([("n", b"250")]) == 250
    for unbelievable in (b"0", b"-4", b"1e3", b"999999999999", None):
        assert claimed_events([("n", unbelievable)]) == 1
    assert claimed_events([]) == 1


@given(st.lists(st.binary(min_size=1).filter(lambda line: b"\n" not in line)))
def test_lines_join_and_split(lines: list[bytes]) -> None:
    assert split(join(lines)) == lines
    if lines:
        assert split(join(lines) + b"\n") == lines


def test_minutes() -> None:
    assert minute_of(1_790_000_000_123) == 29_833_333
