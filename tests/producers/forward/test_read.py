"""Reading segments: growing, torn, damaged, with large frames."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.forward.read import READ_BYTES, SegmentReader
from sendtrail.segments import encode_frame
from tests.producers.forward.parts import header, write_segment


def all_of(reader: SegmentReader) -> list[bytes]:
    found: list[bytes] = []
    while payloads := reader.read():
        found += payloads
    return found


def test_reads_what_was_written(tmp_path: Path) -> None:
    payloads = [b"%d" % number * 50 for number in range(20_000)]
    reader = SegmentReader(write_segment(tmp_path, payloads).path)
    assert all_of(reader) == payloads
    assert reader.header == header()
    assert reader.tail() == "clean"
    reader.close()


def test_reads_on_when_the_file_grows(tmp_path: Path) -> None:
    path = write_segment(tmp_path, [b"one"], state="open").path
    reader = SegmentReader(path)
    assert all_of(reader) == [b"one"]
    frame = encode_frame(b"two")
    with path.open("ab") as file:
        file.write(frame[:5])
        file.flush()
        assert all_of(reader) == []
        assert reader.tail() == "torn"
        file.write(frame[5:])
    assert all_of(reader) == [b"two"]
    reader.close()


def test_a_frame_larger_than_one_read(tmp_path: Path) -> None:
    payloads = [b"a", b"b" * (2 * READ_BYTES), b"c"]
    reader = SegmentReader(write_segment(tmp_path, payloads).path)
    assert all_of(reader) == payloads
    reader.close()


@pytest.mark.parametrize(
    ("tail", "kind"),
    [
        (b"", "clean"),
        (b"\x00", "torn"),
        (encode_frame(b"half of it")[:-3], "torn"),
        (b"\x00" * 4096, "damaged"),
        (encode_frame(b"flipped")[:-1] + b"!", "damaged"),
        (b"\xff" * 40, "damaged"),
    ],
)
def test_what_is_behind_the_last_frame(tmp_path: Path, tail: bytes, kind: str) -> None:
    reader = SegmentReader(write_segment(tmp_path, [b"one", b"two"], tail=tail).path)
    assert all_of(reader) == [b"one", b"two"]
    assert reader.tail() == kind
    reader.close()


def test_a_file_without_a_sound_header_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"STSG, but not really" * 10)
    reader = SegmentReader(path)
    assert all_of(reader) == []
    assert reader.tail() == "damaged"
    reader.close()


@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=8), st.data())
@settings(max_examples=50)
def test_a_cut_anywhere_keeps_every_whole_frame(
    tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes], data: st.DataObject
) -> None:
    file = write_segment(tmp_path_factory.mktemp("cut"), payloads)
    whole = file.path.read_bytes()
    frames = sum(len(encode_frame(payload)) for payload in payloads)
    kept = data.draw(st.integers(len(whole) - frames, len(whole)))
    file.path.write_bytes(whole[:kept])
    reader = SegmentReader(file.path)
    found = all_of(reader)
    assert found == payloads[: len(found)]
    missing = sum(len(encode_frame(payload)) for payload in payloads[len(found) :])
    assert missing == 0 or kept - (len(whole) - missing) < len(encode_frame(payloads[len(found)]))
    reader.close()
