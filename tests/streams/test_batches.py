"""What becomes of a batch that is not as it should be: stale, delivered twice, with a hole, not acknowledged."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from kafka import KafkaProducer

from sendtrail.topics import EVENTS
from streams.errors import Restart
from streams.worker import Moment
from tests.streams.by_hand import PARTITION, by_hand
from tests.streams.running import Line


@pytest.fixture
def filled(line: Line) -> Line:
    """Ten records in partition 0."""
    for index in range(10):
        line.send_pack(PARTITION, [line.open(index)])
    line.producer.flush()
    return line


def test_what_a_past_assignment_left_in_buffers_is_dropped(filled: Line, tmp_path: Path) -> None:
    async def run() -> None:
        async with by_hand(filled, tmp_path / "state") as worker:
            await worker.handle(0, 3)
            worker.assignment = 2
            worker.committed = 3
            stale, fresh = await worker.delivered(3, 5, assignment=1), await worker.delivered(3, 6, assignment=2)
            await worker.worker.handle([*stale, *fresh])
            assert worker.covered() == [(n, n) for n in range(6)]
            await worker.worker.handle(await worker.delivered(6, 8, assignment=1))
            assert worker.covered() == [(n, n) for n in range(6)]
            assert worker.committable() == {PARTITION: 6}

    asyncio.run(run())


def test_an_assignment_begins_at_its_commit_whatever_was_done_before(filled: Line, tmp_path: Path) -> None:
    """Another worker may have gone on from there meanwhile, or not so far."""

    async def run() -> None:
        async with by_hand(filled, tmp_path / "state") as worker:
            await worker.handle(0, 6)
            worker.assignment, worker.committed = 2, 4
            assert worker.committable() == {}
            await worker.handle(4, 5, assignment=2)
            assert worker.covered()[6:] == [(4, 4)]
            assert worker.committable() == {PARTITION: 5}
            assert worker.sent[4].rows == worker.sent[6].rows  # judged as before, although the state knew more

    asyncio.run(run())


def test_what_is_delivered_twice_is_dropped(filled: Line, tmp_path: Path) -> None:
    async def run() -> None:
        async with by_hand(filled, tmp_path / "state") as worker:
            await worker.handle(0, 4)
            await worker.worker.handle([*await worker.delivered(2, 6), *await worker.delivered(5, 7)])
            assert worker.covered() == [(n, n) for n in range(7)]
            assert worker.committable() == {PARTITION: 7}

    asyncio.run(run())


def test_a_hole_with_records_in_it_ends_the_process_and_nothing_moves(filled: Line, tmp_path: Path) -> None:
    async def run() -> None:
        async with by_hand(filled, tmp_path / "state") as worker:
            await worker.handle(0, 4)
            with pytest.raises(Restart, match=r"records of \[4, 7\) were not delivered"):
                await worker.handle(7, 9)
            assert (worker.part.store.applied, worker.part.done, len(worker.sent)) == (4, 4, 4)

    asyncio.run(run())


def test_a_hole_without_records_is_covered_by_the_next_record_also_right_after_the_commit(
    line: Line, tmp_path: Path
) -> None:
    """`source_from` is the next offset expected, after an assignment the commit, never the first event's own."""
    producer = KafkaProducer(bootstrap_servers=line.kafka.bootstrap, transactional_id=line.kafka.topic_prefix + "tx")
    producer.init_transactions()
    for _ in range(3):  # a record and the marker of its transaction
        producer.begin_transaction()
        producer.send(line.topic(EVENTS.name), b"no pack", partition=PARTITION)
        producer.commit_transaction()
    producer.close(10)

    async def run() -> None:
        async with by_hand(line, tmp_path / "state", committed=1) as worker:
            await worker.handle(2, 5)
            assert worker.covered() == [(1, 2), (3, 4)]
            assert worker.committable() == {PARTITION: 5}

    asyncio.run(run())


def test_nothing_moves_before_the_outputs_are_acknowledged_and_then_state_before_offset(
    filled: Line, tmp_path: Path
) -> None:
    async def run() -> None:
        async with by_hand(filled, tmp_path / "state") as worker:
            loop = asyncio.get_running_loop()
            worker.answers = last = [loop.create_future() for _ in range(3)]
            answers = list(last)
            batch = asyncio.ensure_future(worker.handle(0, 3))
            while len(worker.sent) < 3:
                await asyncio.sleep(0.01)
            for answer in answers:
                assert [moment for moment, _, _ in worker.moments] in ([], [Moment.SENT])
                assert worker.part.done == worker.part.store.applied == 0
                answer.set_result(None)
                await asyncio.sleep(0)
            await batch
            assert worker.moments == [
                (Moment.SENT, 0, 0), (Moment.ACKNOWLEDGED, 0, 0), (Moment.WRITTEN, 3, 0), (Moment.DONE, 3, 3)
            ]  # fmt: skip

    asyncio.run(run())


def test_a_send_that_failed_ends_the_process_and_the_next_one_emits_the_batch_again(
    filled: Line, tmp_path: Path
) -> None:
    async def run() -> None:
        async with by_hand(filled, tmp_path / "state") as worker:
            await worker.handle(0, 2)
            failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            failed.set_exception(OSError("the broker is gone"))
            worker.answers = [failed]
            with pytest.raises(Restart, match="was not acknowledged"):
                await worker.handle(2, 6)
            assert (worker.part.store.applied, worker.part.done) == (2, 2)
            assert worker.committable() == {PARTITION: 2}
        async with by_hand(filled, tmp_path / "state", committed=2) as again:
            await again.handle(2, 6)
            assert again.covered() == [(n, n) for n in range(2, 6)]
            assert [row for output in again.sent for row in output.rows] == [
                row for output in worker.sent[2:] for row in output.rows
            ]

    asyncio.run(run())


def test_state_behind_the_commit_is_rebuilt_and_nothing_of_it_is_emitted(filled: Line, tmp_path: Path) -> None:
    async def run() -> None:
        async with by_hand(filled, tmp_path / "whole") as whole:
            await whole.handle(0, 10)
        async with by_hand(filled, tmp_path / "other", committed=7) as worker:
            await worker.worker.open_all([PARTITION])
            assert (worker.part.store.applied, worker.sent) == (7, [])
            filled.send_pack(PARTITION, [filled.open(0)], spool="cd" * 16)
            filled.producer.flush()
            await worker.handle(7, 11)
            assert worker.covered() == [(n, n) for n in range(7, 11)]
            assert [output.rows for output in worker.sent[:3]] == [output.rows for output in whole.sent[7:]]

    asyncio.run(run())
