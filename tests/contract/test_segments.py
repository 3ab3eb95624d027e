"""Spool segments: frozen bytes, and a torn or damaged tail is seen wherever it is cut."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.segments import SegmentHeader, Stream, decode_header, encode_frame, encode_header, frames
from tests.support.golden import Golden
from tests.support.strategies import plain_text

HEADER = SegmentHeader(bytes(range(16)), "edge-1", 2**40, 12345)
payloads = st.lists(st.binary(min_size=1, max_size=60), max_size=6)


def test_header_and_frame_byte_for_byte() -> None:
    expected = b"STSG\x01\x01" + bytes(range(16)) + b"\x06edge-1"
    expected += (2**40).to_bytes(8, "big") + (12345).to_bytes(8, "big")
    expected += zlib.crc32(expected).to_bytes(4, "big")
    assert encode_header(HEADER) == expected
    assert encode_frame(b"{}") == b"\0\0\0\x02" + zlib.crc32(b"{}").to_bytes(4, "big") + b"{}"


def test_segments_are_frozen(golden: Golden) -> None:
    events = encode_header(HEADER) + encode_frame(b'{"v":1}') + encode_frame(b"x" * 300)
    registry = encode_header(HEADER._replace(stream=Stream.REGISTRY, edge="ä", sequence=0, previous_events=0))
    golden.check("segments.json", {"events": events.hex(), "registry": registry.hex()})


@given(
    st.builds(
        SegmentHeader,
        st.binary(min_size=16, max_size=16),
        plain_text,
        st.integers(0, 2**64 - 1),
        st.integers(0, 2**64 - 1),
        st.sampled_from(Stream),
    ),
    payloads,
)
def test_round_trip(header: SegmentHeader, contents: list[bytes]) -> None:
    data = encode_header(header) + b"".join(map(encode_frame, contents))
    read = decode_header(data)
    assert read is not None
    assert read[0] == header
    assert [frame.payload for frame in frames(data, read[1])] == contents


@given(payloads, st.data())
def test_a_torn_tail_keeps_every_whole_frame_and_no_part(contents: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(map(encode_frame, contents))
    cut = data.draw(st.integers(0, len(whole)))
    read = list(frames(whole[:cut]))
    assert [frame.payload for frame in read] == contents[: len(read)]
    end = read[-1].end if read else 0
    assert end <= cut
    assert len(read) == len(contents) or cut < end + 8 + len(contents[len(read)])


@given(payloads.filter(bool), st.data())
def test_a_damaged_byte_ends_the_reading_there(contents: list[bytes], data: st.DataObject) -> None:
    whole = bytearray(b"".join(map(encode_frame, contents)))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    read = list(frames(bytes(whole)))
    assert [frame.payload for frame in read] == contents[: len(read)]
    assert len(read) < len(contents)


def test_zeros_behind_the_last_frame_are_no_frames() -> None:
    """What a file system may leave after a power cut: eight zero bytes look like an empty frame that is whole."""
    data = encode_frame(b"one") + bytes(4096)
    assert [frame.payload for frame in frames(data)] == [b"one"]
    with pytest.raises(ValueError, match="at least one byte"):
        encode_frame(b"")


@given(st.binary(max_size=120))
def test_any_bytes_as_header(data: bytes) -> None:
    assert decode_header(data) is None
    list(frames(data))


@pytest.mark.parametrize("size", range(len(encode_header(HEADER))))
def test_a_header_cut_short_is_none(size: int) -> None:
    assert decode_header(encode_header(HEADER)[:size]) is None


def test_a_damaged_header_is_none() -> None:
    sound = encode_header(HEADER)
    for bit in range(8 * len(sound)):
        damaged = bytearray(sound)
        damaged[bit // 8] ^= 1 << (bit % 8)
        assert decode_header(bytes(damaged)) is None, bit
