"""Spool directories: order, takeover of what dead writers left, one forwarder at a time."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from producers.forward.parcel import Parcel
from producers.forward.source import LOCK_NAME, SpoolDirectory
from producers.spool import SpoolWriter
from sendtrail.deliveries import Delivery, record_of
from sendtrail.events import encode
from sendtrail.packs import MAX_WAIT_MS
from sendtrail.segments import Stream
from sendtrail.spool_files import lock_path, segment_files, segment_path
from tests.producers.forward.parts import SPOOL, TARGET, Clock, hit, write_segment


def directory_at(path: Path, clock: Clock | None = None) -> SpoolDirectory:
    return SpoolDirectory(path, "test", TARGET, clock or Clock())


def forward(directory: SpoolDirectory) -> list[Parcel]:
    """Send everything there is, every parcel acknowledged at once."""
    sent: list[Parcel] = []
    while True:
        directory.scan()
        parcels = [parcel for spool in directory.spools.values() for parcel in spool.read()]
        for parcel in parcels:
            parcel.owner.acked(parcel, 0)
        closing = [parcel for spool in directory.spools.values() for parcel in spool.close_acked()]
        for parcel in closing:
            parcel.owner.acked(parcel, 0)
        for spool in directory.spools.values():
            spool.close_acked()
        if not parcels and not closing:
            return sent
        sent += parcels + closing


def indexes(parcels: list[Parcel]) -> list[int]:
    return sorted(index for parcel in parcels for index in parcel.indexes)


def test_a_directory_that_is_not_there_is_empty(tmp_path: Path) -> None:
    directory = directory_at(tmp_path / "none")
    directory.scan()
    assert directory.spools == {}
    assert not (tmp_path / "none").exists()


def test_segments_of_a_spool_go_in_order_of_sequence(tmp_path: Path) -> None:
    for sequence in (10, 2, 0, 9):
        write_segment(tmp_path, [encode(hit(1))], sequence=sequence)
    directory = directory_at(tmp_path)
    sent = forward(directory)
    assert [parcel.source.segment for parcel in sent if parcel.source and parcel.indexes] == [0, 2, 9, 10]
    assert [path.name for path in tmp_path.iterdir()] == [LOCK_NAME]
    directory.abandon()


def test_a_live_writer_keeps_its_segment(tmp_path: Path) -> None:
    clock = Clock()
    writer = SpoolWriter(tmp_path, "edge", fsync="none")
    writer.append([hit(number) for number in range(5)])
    directory = directory_at(tmp_path, clock)
    forward(directory)
    clock.now += MAX_WAIT_MS / 1000
    assert indexes(forward(directory)) == [0, 1, 2, 3, 4]
    assert [file.finished for file in segment_files(tmp_path)] == [False]
    writer.append([hit(5)])
    writer.close()
    rest = forward(directory)
    assert indexes(rest) == [5]
    assert segment_files(tmp_path) == []
    directory.abandon()


def test_a_dead_writers_segment_is_taken_over_once(tmp_path: Path) -> None:
    write_segment(tmp_path, [encode(hit(number)) for number in range(3)], state="open", tail=b"\x00\x00\x00\x09abc")
    lock_path(tmp_path, SPOOL).touch()
    directory = directory_at(tmp_path)
    sent = forward(directory)
    assert indexes(sent) == [0, 1, 2]
    assert [parcel.headers[-1][0] for parcel in sent if not parcel.indexes] == ["totals"]
    assert forward(directory) == []
    assert [path.name for path in tmp_path.iterdir()] == [LOCK_NAME]
    directory.abandon()


def test_an_open_segment_before_the_last_is_finished(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path, "edge", fsync="none", segment_bytes=4096)
    while len(segment_files(tmp_path)) < 2 or segment_files(tmp_path)[-1].finished:
        writer.append([hit(1)])
    first = segment_files(tmp_path)[0]
    first.path.rename(segment_path(tmp_path, first.spool, first.sequence, "open"))
    directory = directory_at(tmp_path)
    directory.scan()
    assert segment_files(tmp_path)[0].finished
    directory.abandon()
    writer.close()


def test_a_second_forwarder_waits(tmp_path: Path) -> None:
    write_segment(tmp_path, [encode(hit(1))])
    first, second = directory_at(tmp_path), directory_at(tmp_path)
    first.scan()
    second.scan()
    assert len(first.spools) == 1
    assert second.spools == {}
    first.abandon()
    second.scan()
    assert len(second.spools) == 1
    second.abandon()


def test_progress_of_segments_that_are_gone_is_removed(tmp_path: Path) -> None:
    (tmp_path / f"{SPOOL}-000000000007.ack").write_text('{"acked":5}')
    directory = directory_at(tmp_path)
    directory.scan()
    assert [path.name for path in tmp_path.iterdir()] == [LOCK_NAME]
    directory.abandon()


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_registry_spools_go_one_after_the_other_in_order_of_age(tmp_path: Path, order: tuple[int, ...]) -> None:
    for age, number in enumerate(order):
        for sequence in range(2):
            record = record_of(Delivery(delivery=1, label=f"{age}.{sequence}"))
            file = write_segment(
                tmp_path, [record] * 700, sequence=sequence, stream=Stream.REGISTRY, spool=f"{number:032x}"
            )
            os.utime(file.path, ns=(0, 10**9 * (10 * age + sequence)))
    directory = SpoolDirectory(tmp_path, "test", TARGET, Clock(), ordered=True)
    directory.scan()
    labels = [parcel.value.partition(b'"label":"')[2][:3].decode() for parcel in directory.read(lambda: True)]
    assert labels == sorted(labels)
    assert len(labels) == 3 * 2 * 700
    directory.abandon()


def test_an_ordered_directory_waits_for_room_with_the_earlier_spool(tmp_path: Path) -> None:
    for number in (1, 2):
        record = record_of(Delivery(delivery=number))
        file = write_segment(tmp_path, [record] * 1000, stream=Stream.REGISTRY, spool=f"{number:032x}")
        os.utime(file.path, ns=(0, number))
    directory = SpoolDirectory(tmp_path, "test", TARGET, Clock(), ordered=True)
    directory.scan()
    rooms = iter([True, False, False])
    first = list(directory.read(lambda: next(rooms, True)))
    second = list(directory.read(lambda: True))
    assert [parcel.key for parcel in first] == [b"1/meta"] * 500
    assert [parcel.key for parcel in second] == [b"1/meta"] * 500 + [b"2/meta"] * 1000
    directory.abandon()


def test_a_dead_writers_backlog_does_not_hold_up_the_living(tmp_path: Path) -> None:
    old = write_segment(tmp_path, [encode(hit(number)) for number in range(9000)], spool=f"{9:032x}")
    os.utime(old.path, ns=(0, 0))
    write_segment(tmp_path, [encode(hit(1))], spool=f"{1:032x}")
    directory = directory_at(tmp_path)
    directory.scan()
    assert {parcel.source.spool for parcel in directory.read(lambda: True) if parcel.source} == {
        f"{9:032x}", f"{1:032x}",
    }  # fmt: skip
    directory.abandon()
