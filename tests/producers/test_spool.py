"""The spool writer: what it promises about files, order, rotation and loss."""

import os
import threading
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producers.spool import FsyncPolicy, SpoolWriter
from producers.spool_lock import is_orphan
from producers.spool_loss import LossFile
from sendtrail.events import Event
from sendtrail.segments import Stream, decode_header, frames
from sendtrail.spool_files import backlog_bytes, lock_path, new_path, read_lost, segment_files
from tests.support.spools import events, files_up_to, segments


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def hit(number: int, agent: str = "") -> Event:
    return Event(
        version=1, event_id=f"{number:032x}", kind="open", event_time_ms=number, source="edge", user_agent=agent
    )


def numbers(directory: Path) -> list[int]:
    return [event.event_time_ms for event in events(directory)]


@pytest.mark.parametrize("policy", get_args(FsyncPolicy))
def test_every_policy_keeps_every_event_in_order(tmp_path: Path, policy: FsyncPolicy) -> None:
    spool = SpoolWriter(tmp_path, "edge", fsync=policy, fsync_interval_ms=1)
    for start in range(0, 100, 10):
        assert spool.append([hit(number) for number in range(start, start + 10)]) == 10
        assert numbers(tmp_path) == list(range(start + 10))
        spool.tick()
    spool.close()
    assert numbers(tmp_path) == list(range(100))
    assert [event.index for event in events(tmp_path)] == list(range(100))
    assert [file.finished for file in segment_files(tmp_path)] == [True]


def test_nothing_written_leaves_no_segment(tmp_path: Path) -> None:
    spool = SpoolWriter(tmp_path, "edge")
    assert spool.append([]) == 0
    spool.tick()
    spool.close()
    assert segment_files(tmp_path) == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.integers(1, 30), min_size=1, max_size=12), limit=st.integers(100, 4000))
def test_segments_chain_by_sequence_and_predecessors_count(
    tmp_path_factory: pytest.TempPathFactory, batches: list[int], limit: int
) -> None:
    directory = tmp_path_factory.mktemp("spool")
    spool = SpoolWriter(directory, "edge-7", fsync="none", segment_bytes=limit)
    for size in batches:
        spool.append([hit(number) for number in range(size)])
    spool.close()
    written = segments(directory)
    assert [header.sequence for header, _ in written] == list(range(len(written)))
    assert [header.previous_events for header, _ in written] == [0, *(len(lines) for _, lines in written[:-1])]
    assert {header.edge for header, _ in written} == {"edge-7"}
    assert all(lines for _, lines in written)
    assert sum(len(lines) for _, lines in written) == sum(batches)
    indexes = [event.index for event in events(directory)]
    assert indexes == [index for _, lines in written for index in range(len(lines))]


def test_a_segment_is_finished_by_size(tmp_path: Path) -> None:
    spool = SpoolWriter(tmp_path, "edge", segment_bytes=1000)
    for number in range(3):
        spool.append([hit(number, "x" * 1000)])
    assert [file.finished for file in segment_files(tmp_path)] == [True] * 3
    spool.close()


def test_a_segment_is_finished_by_age_only_on_tick(tmp_path: Path) -> None:
    clock = Clock()
    spool = SpoolWriter(tmp_path, "edge", segment_age_ms=1000, clock=clock)
    spool.append([hit(1)])
    clock.now += 0.9
    spool.tick()
    assert [file.finished for file in segment_files(tmp_path)] == [False]
    clock.now += 0.2
    spool.tick()
    assert [file.finished for file in segment_files(tmp_path)] == [True]
    spool.append([hit(2)])
    assert [(header.sequence, header.previous_events) for header, _ in segments(tmp_path)] == [(0, 0), (1, 1)]
    spool.close()


def test_payloads_go_to_a_registry_segment_as_they_are(tmp_path: Path) -> None:
    spool = SpoolWriter(tmp_path, "api", stream=Stream.REGISTRY)
    assert spool.append_payloads([b"one", b"two"]) == 2
    spool.close()
    [(header, payloads)] = segments(tmp_path)
    assert (header.stream, payloads) == (Stream.REGISTRY, [b"one", b"two"])


def test_several_threads_share_a_writer(tmp_path: Path) -> None:
    spool = SpoolWriter(tmp_path, "api", segment_bytes=5000)

    def write(start: int) -> None:
        for number in range(start, start + 200):
            spool.append([hit(number)])

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 200, 400)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spool.close()
    assert sorted(numbers(tmp_path)) == list(range(600))
    assert sum(header.previous_events for header, _ in segments(tmp_path)) == 600 - len(segments(tmp_path)[-1][1])


def test_the_lock_says_who_lives(tmp_path: Path) -> None:
    spool = SpoolWriter(tmp_path, "edge")
    name = spool.spool_id.hex()
    assert is_orphan(tmp_path, name)
    spool.append([hit(1)])
    assert not is_orphan(tmp_path, name)
    spool.close()
    assert is_orphan(tmp_path, name)
    assert not lock_path(tmp_path, name).exists()


def test_two_writers_share_a_directory(tmp_path: Path) -> None:
    first, second = SpoolWriter(tmp_path, "edge"), SpoolWriter(tmp_path, "edge")
    first.append([hit(1)])
    second.append([hit(2)])
    assert sorted(numbers(tmp_path)) == [1, 2]
    assert first.backlog_bytes() == second.backlog_bytes() == backlog_bytes(tmp_path) > 0
    first.close()
    assert not is_orphan(tmp_path, second.spool_id.hex())
    second.close()


def test_a_new_writer_clears_what_a_dead_one_never_named(tmp_path: Path) -> None:
    alive = SpoolWriter(tmp_path, "edge")
    alive.append([hit(1)])
    dead, living = new_path(tmp_path, "0" * 32), new_path(tmp_path, alive.spool_id.hex())
    dead.write_bytes(b"half a header")
    living.write_bytes(b"")
    lock_path(tmp_path, "0" * 32).write_bytes(b"")
    SpoolWriter(tmp_path, "edge").close()
    assert not dead.exists()
    assert not lock_path(tmp_path, "0" * 32).exists()
    assert living.exists()
    alive.close()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_torn_tail_costs_only_what_is_torn(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    directory = tmp_path_factory.mktemp("spool")
    spool = SpoolWriter(directory, "edge", fsync="none")
    spool.append([hit(number, "agent" * number) for number in range(12)])
    spool.close()
    [file] = segment_files(directory)
    whole = file.path.read_bytes()
    decoded = decode_header(whole)
    assert decoded is not None
    ends = [frame.end for frame in frames(whole, decoded[1])]
    cut = data.draw(st.integers(decoded[1], len(whole)))
    garbage = data.draw(st.binary(max_size=40))
    sound = list(frames(whole[:cut], decoded[1]))
    assert len(sound) == sum(1 for end in ends if end <= cut)
    damaged = list(frames(whole[:cut] + garbage, decoded[1]))
    assert [frame.payload for frame in damaged[: len(sound)]] == [frame.payload for frame in sound]


def test_no_room_at_all_is_counted_and_recovers(tmp_path: Path) -> None:
    clock = Clock()
    spool = SpoolWriter(tmp_path, "edge", clock=clock)
    with files_up_to(4096):
        assert spool.append([hit(number, "x" * 5000) for number in range(3)]) == 0
        assert spool.failing
        clock.now += 5
        spool.tick()
        assert spool.failing
    assert (spool.lost, read_lost(tmp_path).events, segment_files(tmp_path)) == (3, 3, [])
    clock.now += 5
    spool.tick()
    assert not spool.failing
    assert spool.append([hit(4)]) == 1
    spool.close()
    assert [(header.sequence, header.previous_events) for header, _ in segments(tmp_path)] == [(0, 0)]
    assert numbers(tmp_path) == [4]


def test_whole_frames_of_a_short_write_stay_and_the_torn_one_goes(tmp_path: Path) -> None:
    spool = SpoolWriter(tmp_path, "edge")
    spool.append([hit(0)])
    with files_up_to(6000):
        written = spool.append([hit(number, "x" * 1000) for number in range(1, 11)])
    assert 0 < written < 10
    assert spool.lost == read_lost(tmp_path).events == 10 - written
    spool.append([hit(11)])
    spool.close()
    kept = [*range(written + 1), 11]
    assert numbers(tmp_path) == kept
    assert [len(lines) for _, lines in segments(tmp_path)] == [written + 1, 1]
    assert [event.index for event in events(tmp_path)] == [*range(written + 1), 0]
    for file in segment_files(tmp_path):
        data = file.path.read_bytes()
        decoded = decode_header(data)
        assert decoded is not None
        assert [frame.end for frame in frames(data, decoded[1])][-1] == len(data)


def test_a_short_first_write_is_kept_as_far_as_it_got(tmp_path: Path) -> None:
    spool = SpoolWriter(tmp_path, "edge")
    with files_up_to(4096):
        written = spool.append([hit(number, "x" * 1000) for number in range(10)])
    assert 0 < written < 10
    spool.close()
    assert numbers(tmp_path) == list(range(written))


def test_a_writer_whose_caller_refuses_counts_no_loss(tmp_path: Path) -> None:
    spool = SpoolWriter(tmp_path, "api", count_loss=False)
    with files_up_to(4096):
        assert spool.append([hit(1, "x" * 5000)]) == 0
    assert (spool.lost, read_lost(tmp_path).events, spool.failing) == (0, 0, True)
    spool.close()


def test_a_directory_that_vanishes_costs_no_exception(tmp_path: Path) -> None:
    directory = tmp_path / "spool"
    spool = SpoolWriter(directory, "edge")
    (directory / "lost").unlink()
    directory.rmdir()
    assert spool.append([hit(1)]) == 0
    assert spool.failing
    directory.mkdir()
    assert spool.append([hit(2)]) == 1
    assert not spool.failing
    spool.close()
    assert numbers(directory) == [2]


def test_losses_of_several_writers_add_up(tmp_path: Path) -> None:
    first, second = LossFile(tmp_path), LossFile(tmp_path)
    size = (tmp_path / "lost").stat().st_size
    first.add(3, 1000)
    second.add(4, 2000)
    first.close()
    second.close()
    assert read_lost(tmp_path).events == 7
    assert (tmp_path / "lost").stat().st_size == size > 0


def test_a_loss_that_cannot_be_written_is_added_later(tmp_path: Path) -> None:
    with files_up_to(0):
        loss = LossFile(tmp_path)
        loss.add(2, 1)
        assert read_lost(tmp_path).events == 0
    loss.add(1, 2)
    assert read_lost(tmp_path).events == 3
    loss.close()


def test_a_directory_without_losses(tmp_path: Path) -> None:
    assert read_lost(tmp_path).events == 0
    assert backlog_bytes(tmp_path / "nowhere") == 0
    (tmp_path / "lost").write_bytes(os.urandom(4096))
    assert read_lost(tmp_path).events == 0
