"""Reading a spool directory that others write to and empty."""

import os
from pathlib import Path

import pytest

from sendtrail import spool_files
from sendtrail.segments import SegmentHeader, encode_frame, encode_header
from sendtrail.spool_files import oldest_seconds, read_segments, segment_path

SPOOL = bytes(range(16))


def _write(directory: Path, sequence: int, state: spool_files.SegmentState, *payloads: bytes) -> Path:
    path = segment_path(directory, SPOOL.hex(), sequence, state)
    header = encode_header(SegmentHeader(SPOOL, "edge", sequence, 0))
    path.write_bytes(header + b"".join(map(encode_frame, payloads)))
    return path


def test_finished_and_open_segments_in_order(tmp_path: Path) -> None:
    _write(tmp_path, 1, "open", b"c")
    _write(tmp_path, 0, "seg", b"a", b"b")
    found = [(content.header.sequence, content.payloads) for content in read_segments(tmp_path)]
    assert found == [(0, [b"a", b"b"]), (1, [b"c"])]


def test_a_torn_tail_and_a_damaged_header_are_left_out(tmp_path: Path) -> None:
    torn = _write(tmp_path, 0, "open", b"a", b"b")
    torn.write_bytes(torn.read_bytes()[:-1])
    _write(tmp_path, 1, "seg", b"c").write_bytes(b"STSG")
    assert [content.payloads for content in read_segments(tmp_path)] == [[b"a"]]


def test_a_segment_finished_between_listing_and_reading_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write(tmp_path, 0, "open", b"a")
    listed = spool_files.segment_files(tmp_path)
    path.rename(path.with_suffix(".seg"))
    monkeypatch.setattr(spool_files, "segment_files", lambda _: listed)
    assert [content.payloads for content in read_segments(tmp_path)] == [[b"a"]]


def test_a_segment_forwarded_meanwhile_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _write(tmp_path, 0, "seg", b"a")
    listed = spool_files.segment_files(tmp_path)
    path.unlink()
    monkeypatch.setattr(spool_files, "segment_files", lambda _: listed)
    assert list(read_segments(tmp_path)) == []


def test_the_age_of_a_spool_is_that_of_its_longest_waiting_segment(tmp_path: Path) -> None:
    assert oldest_seconds(tmp_path, 1000.0) == 0
    assert oldest_seconds(tmp_path / "nowhere", 1000.0) == 0
    os.utime(_write(tmp_path, 0, "seg", b"a"), (900, 900))
    os.utime(_write(tmp_path, 1, "open", b"b"), (990, 990))
    assert oldest_seconds(tmp_path, 1000.0) == 100
    assert oldest_seconds(tmp_path, 800.0) == 0  # a clock that was set back
