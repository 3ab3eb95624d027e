"""Segments with bytes flipped or cut anywhere: what is whole is forwarded and shown, the rest is told and kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producers.forward.copies import copy, roots
from producers.forward.transit import Transit
from producers.spool_inspect import damage_of, inspect, read_content
from sendtrail.events import encode
from sendtrail.segments import Stream, decode_header, encode_frame, encode_header, frames
from sendtrail.spool_files import damaged_files, segment_files
from tests.producers.forward.parts import TARGET, Clock, everything, header, hit, write_segment
from tests.support.spools import segments

LINES = [encode(hit(number)) for number in range(12)]
HEAD = encode_header(header())
WHOLE = HEAD + b"".join(map(encode_frame, LINES))
ENDS = [frame.end for frame in frames(WHOLE, len(HEAD))]


def forwarded(directory: Path, data: bytes) -> list[bytes]:
    """What a forwarder sends of a file with these bytes, everything acknowledged."""
    file = write_segment(directory, [])
    file.path.write_bytes(data)
    transit = Transit(file, "test", TARGET, Clock())
    parcels = everything(transit)
    for parcel in parcels:
        parcel.owner.acked(parcel, 0)
    for totals in transit.closing():
        totals.owner.acked(totals, 0)
    return [line for parcel in parcels for line in parcel.value.split(b"\n")]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, len(WHOLE) - 1), flip=st.integers(1, 255))
def test_a_byte_flipped_anywhere_costs_the_event_it_is_in(
    tmp_path_factory: pytest.TempPathFactory, place: int, flip: int
) -> None:
    data = bytearray(WHOLE)
    data[place] ^= flip
    content = read_content(bytes(data))
    if place < len(HEAD):
        assert content.header is None
        assert content.behind == LINES
    else:
        hurt = sum(end <= place for end in ENDS)
        assert (content.payloads, content.behind) == (LINES[:hurt], LINES[hurt + 1 :])
        assert content.unreadable == len(encode_frame(LINES[hurt]))
    assert damage_of(content)
    directory = tmp_path_factory.mktemp("spool")
    sent = forwarded(directory, bytes(data))
    assert sorted(sent) == sorted(content.payloads)
    # The last frame's length may now reach past the end: then nothing tells it from one that was cut off.
    kept = [file.path.read_bytes() for file in damaged_files(directory)]
    assert kept == ([] if content.torn else [bytes(data)])
    assert segment_files(directory) == []


@settings(max_examples=100, deadline=None)
@given(end=st.integers(len(HEAD), len(WHOLE)))
def test_a_tail_cut_anywhere_costs_only_what_was_being_written(
    tmp_path_factory: pytest.TempPathFactory, end: int
) -> None:
    content = read_content(WHOLE[:end])
    whole = sum(one <= end for one in ENDS)
    assert content.payloads == LINES[:whole]
    assert content.behind == []
    assert content.torn == (end not in (len(HEAD), *ENDS))
    directory = tmp_path_factory.mktemp("spool")
    assert sorted(forwarded(directory, WHOLE[:end])) == sorted(LINES[:whole])
    assert (segment_files(directory), damaged_files(directory)) == ([], [])


def test_a_hole_of_zeros_and_bytes_that_are_none(tmp_path: Path) -> None:
    for hole in (bytes(5000), b"\xff" * 5000, b"\x00\x00\x01\x00" * 1000):
        content = read_content(WHOLE[: ENDS[3]] + hole + WHOLE[ENDS[3] :])
        assert (content.payloads, content.behind, content.unreadable) == (LINES[:4], LINES[4:], len(hole))
        assert damage_of(content) == f"{len(hole)} bytes can't be read, 8 events behind them can"
    assert read_content(b"").header is None
    assert read_content(WHOLE).unreadable == 0


def test_damage_is_listed(tmp_path: Path) -> None:
    write_segment(tmp_path, LINES, sequence=0)
    torn = write_segment(tmp_path, LINES, sequence=1, state="open", tail=encode_frame(LINES[0])[:20])
    flipped = write_segment(tmp_path, LINES, sequence=2)
    data = bytearray(flipped.path.read_bytes())
    data[ENDS[5] + 20] ^= 1
    flipped.path.write_bytes(bytes(data))
    flipped.path.rename(flipped.path.with_suffix(".damaged"))
    (tmp_path / "registry").mkdir()
    listed = [(row.sequence, row.state, row.events, row.damage) for row in inspect(tmp_path)]
    size = len(encode_frame(LINES[6]))
    assert listed == [
        (0, "waiting", 12, ""),
        (1, "left open", 12, "torn: 20 bytes at the end"),
        (2, "kept aside", 11, f"{size} bytes can't be read, 5 events behind them can"),
    ]
    assert {(row.edge, row.stream, row.spool) for row in inspect(tmp_path)} == {("test", "events", torn.spool)}


def test_copies_hold_everything_that_can_be_read_and_leave_the_files_alone(tmp_path: Path) -> None:
    source, work = tmp_path / "edge", tmp_path / "work"
    write_segment(source, LINES[:4], sequence=0)
    data = bytearray(write_segment(source, LINES[4:], sequence=1).path.read_bytes())
    found = decode_header(bytes(data))
    assert found is not None
    data[found[1] + 20] ^= 1
    segment_files(source)[1].path.write_bytes(bytes(data))
    before = {path: path.read_bytes() for path in source.iterdir()}
    assert copy(source, work) == (2, 11, 7)
    read = [line for _, lines in segments(work) for line in lines]
    ids = [line.partition(b'"id":"')[2][:32] for line in read]
    assert sorted(ids) == sorted(line.partition(b'"id":"')[2][:32] for line in LINES[:4] + LINES[5:])
    for file in segment_files(work):
        file.path.unlink()
    assert {path: path.read_bytes() for path in source.iterdir()} == before


def test_a_directory_of_spools_is_copied_with_all_that_is_below(tmp_path: Path) -> None:
    source, work = tmp_path / "spool", tmp_path / "work"
    write_segment(source / "edge", LINES[:4])
    for name in ("registry", "contents"):
        write_segment(source / "api" / name, [b"{}"], stream=Stream.REGISTRY)
    (source / "empty").mkdir()
    assert copy(source, work) == (3, 6, 0)
    assert roots(work) == [work, work / "api", work / "edge"]
    assert roots(work / "api" / "registry") == [work / "api" / "registry"]
