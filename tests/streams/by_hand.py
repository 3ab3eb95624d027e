"""A worker on a real log and real state, its batches delivered by hand: Faust is left out, the broker's answers too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from streams.app import STEPS
from streams.partitions import OwnedPartitions
from streams.progress import Part, Progress
from streams.render import Enriched
from streams.source import SourceLog
from streams.state.directory import StateDirectory
from streams.state.store import SharedMemory
from streams.topicwatch import TopicWatch
from streams.worker import Delivered, Moment, Worker
from tests.streams.making import Output, constants, read
from tests.streams.running import Line

PARTITION = 0


@dataclass
class ByHand:
    """`sent`: what was given to the producer; `answers`: what it answers, by default that all is well."""

    line: Line
    source: SourceLog
    directory: StateDirectory
    committed: int = 0
    assignment: int = 1
    sent: list[Output] = field(default_factory=list)
    answers: list[asyncio.Future[None]] = field(default_factory=list)
    moments: list[tuple[Moment, int, int]] = field(default_factory=list)  # moment, applied, done

    def __post_init__(self) -> None:
        self.progress = Progress()
        topic_id = self.line.source_id()
        known = constants(topic_id=topic_id, partitions=self.line.partitions)
        self.partitions = OwnedPartitions(
            known, STEPS, self.source, TopicWatch(topic_id, lambda: topic_id, str), self.directory,
            SharedMemory(16 * 1024 * 1024), self._commit_of, None,
        )  # fmt: skip
        self.worker = Worker(
            known, STEPS, self.progress, self.partitions, self._send, lambda: self.assignment, self._observe
        )

    async def _commit_of(self, partition: int) -> int:
        return self.committed

    async def _send(self, partition: int, enriched: Enriched) -> Sequence[Awaitable[object]]:
        self.sent.append(read(enriched))
        if self.answers:
            return [self.answers.pop(0)]
        return []

    def _observe(self, moment: Moment) -> None:
        part = self.progress.parts[PARTITION]
        self.moments.append((moment, part.store.applied, part.done))

    @property
    def part(self) -> Part:
        return self.progress.parts[PARTITION]

    async def delivered(self, first: int, end: int, assignment: int = 1) -> list[Delivered]:
        """The records of [first, end) of the log, as fetched under an assignment."""
        return [
            Delivered(PARTITION, assignment, record)
            async for records in self.source.read(PARTITION, first, end)
            for record in records
        ]

    async def handle(self, first: int, end: int, assignment: int = 1) -> None:
        await self.worker.handle(await self.delivered(first, end, assignment))

    def covered(self) -> list[tuple[int, int]]:
        """The source intervals of what was sent."""
        return [(output.header.source_from, output.header.source_offset) for output in self.sent]

    def committable(self) -> dict[int, int]:
        return self.progress.committable(self.assignment, rebalancing=False)


@asynccontextmanager
async def by_hand(line: Line, path: Path, committed: int = 0) -> AsyncIterator[ByHand]:
    """A worker process, in a state directory that is kept for the next."""
    source, directory = SourceLog(line.kafka.bootstrap, line.topic("tracking.events")), StateDirectory(path)
    await source.start()
    made = ByHand(line, source, directory, committed)
    try:
        yield made
    finally:
        made.partitions.close()
        directory.close()
        await source.stop()
