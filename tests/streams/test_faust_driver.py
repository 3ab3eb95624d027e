"""What Faust and aiokafka do at a rebalance, met on a real broker, and what our driver makes of it (decision 0027)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import faust.streams
import pytest
from faust.types import TP

from sendtrail.settings import Config, StreamSettings
from sendtrail.topics import EVENTS
from streams.app import add_agent, build_app
from streams.consumer import TrackingApp, TrackingConsumer
from streams.progress import Part, Progress
from streams.worker import Delivered
from tests.streams.running import WAIT_S, Line


class Held:
    """Faust's app on the topics of a line, its batches held back until they are let go."""

    def __init__(self, line: Line, directory: Path) -> None:
        directory.mkdir(parents=True)
        self.line, self.progress = line, Progress()
        settings = Config({}).section(StreamSettings, state_dir=directory, batch_records=4, batch_wait_ms=20)
        self.app: TrackingApp
        self.app, topics = build_app(line.kafka, settings, f"member-{directory.name}", self.progress)
        self.batches: list[Sequence[Delivered]] = []
        self.go = asyncio.Event()
        add_agent(self.app, topics, settings, self._hold)

    async def _hold(self, batch: Sequence[Delivered]) -> None:
        self.batches.append(batch)
        await self.go.wait()

    @property
    def consumer(self) -> TrackingConsumer:
        return cast(TrackingConsumer, self.app.consumer)

    @property
    def coordinator(self) -> Any:
        """aiokafka's member of the group; lives in the consumer's thread."""
        return self.consumer._thread._ensure_consumer()._coordinator

    def in_its_thread(self, act: Callable[[], None]) -> None:
        self.consumer._thread.thread_loop.call_soon_threadsafe(act)

    def at(self, partition: int = 0) -> TP:
        return TP(self.line.topic(EVENTS.name), partition)

    async def send(self, records: int) -> None:
        """To partition 0, and wait until Faust has read them."""
        for _ in range(records):
            self.line.send_raw(0, b"any record")
        self.line.producer.flush()
        end = self.line.ends()[0]
        await until(lambda: (self.consumer._read_offset[self.at()] or 0) == end - 1)

    def done(self, offset: int, assignment: int) -> None:
        """As the worker says it once a batch is finished."""
        none: Any = None
        self.progress.parts[0] = Part(0, assignment, none, none, next=offset, done=offset, committed=0)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def held(line: Line, directory: Path) -> AsyncIterator[Held]:
    """Started, its first batch of one record held, one more behind that in Faust's buffer."""
    made = Held(line, directory)
    await made.app.start()
    try:
        await until(lambda: made.app.assignments > 0 and not made.app.rebalancing)
        await made.send(1)
        await until(lambda: bool(made.batches))
        await made.send(1)
        yield made
    finally:
        made.go.set()
        await made.app.stop()


def test_what_faust_acks_by_itself_is_not_committed_and_what_is_done_is(
    line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faust acks events it skips, and would commit past those that a batch still holds.

    Its iterator in Python does, which runs where no compiled one is; that one drops them without an ack.
    """
    monkeypatch.setattr(faust.streams, "_CStreamIterator", None)

    async def run() -> None:
        async with held(line, tmp_path / "faust") as it:
            await it.send(30)
            it.app.consumer_generation_id = it.app.assignments = 2  # as when partitions are assigned anew
            it.go.set()
            await until(lambda: bool(it.consumer._acked[it.at()]))
            assert (it.consumer._new_offset(it.at()) or 0) > 2  # what Faust would commit
            await it.consumer.commit()
            assert await it.consumer.committed_offset(it.at()) is None
            it.done(2, assignment=2)
            await it.consumer.commit()
            assert await it.consumer.committed_offset(it.at()) == 2
            it.done(3, assignment=1)  # by a batch that began under the assignment before
            await it.consumer.commit()
            assert await it.consumer.committed_offset(it.at()) == 2
            it.done(3, assignment=2)
            it.app.rebalancing = True
            await it.consumer.commit()
            assert await it.consumer.committed_offset(it.at()) == 2
            it.app.rebalancing = False
            await it.consumer.commit()
            assert await it.consumer.committed_offset(it.at()) == 3

    asyncio.run(run())


@pytest.mark.parametrize("new_generation", [False, True])
def test_each_assignment_has_a_number_and_buffers_of_the_one_before_keep_theirs(
    line: Line, tmp_path: Path, new_generation: bool
) -> None:
    """A member that lost its generation joins again and is assigned anew, under the generation it had."""

    async def run() -> None:
        async with held(line, tmp_path / "faust") as it:
            generation, first = it.coordinator.generation, it.app.consumer_generation_id
            again = it.coordinator.request_rejoin if new_generation else it.coordinator.reset_generation
            it.in_its_thread(again)
            await until(lambda: it.app.assignments > 1 and not it.app.rebalancing)
            assert (it.coordinator.generation == generation) is not new_generation
            assert it.app.consumer_generation_id != first
            it.go.set()
            await until(lambda: len(it.batches) > 2)
            numbers = [[(each.record.offset, each.assignment) for each in batch] for batch in it.batches]
            assert numbers[:2] == [[(0, first)], [(1, first)]]  # the buffer of the assignment before
            assert numbers[2][0] == (0, it.app.consumer_generation_id)  # from the commit on, again
            it.done(1, it.app.consumer_generation_id)
            await it.consumer.commit()  # though Faust has acked nothing
            assert await it.consumer.committed_offset(it.at()) == 1

    asyncio.run(run())


def test_settings_that_lost_nothing_under_faults_reach_faust(line: Line, tmp_path: Path) -> None:
    async def run() -> dict[str, Any]:
        conf = Held(line, tmp_path / "faust").app.conf
        return {name: getattr(conf, name) for name in expected}

    expected: dict[str, Any] = {
        "consumer_group_instance_id": "member-faust", "stream_wait_empty": False, "broker_commit_interval": 0.5,
        "broker_session_timeout": 6, "broker_heartbeat_interval": 1, "broker_rebalance_timeout": 10,
        "broker_request_timeout": 15, "table_standby_replicas": 0, "producer_acks": -1,
    }  # fmt: skip
    assert asyncio.run(run()) == expected
