"""tracking.events read plainly: by offset, without a group. For rebuilds and for looking into holes."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from streams.items import SourceRecord

_POLL_MS = 500
_MAX_RECORDS = 64
_FETCH_WAIT_MS = 50  # a fetch that waits at the end of the log delays the next reader
_FETCH_BYTES = 8 * 1024 * 1024


class Bounds(NamedTuple):
    """First offset still in the log, and the one the next record gets."""

    begin: int
    end: int


class SourceLog:
    """A consumer of its own, one reader at a time. Methods raise aiokafka's KafkaError."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.topic = topic
        self._bootstrap = bootstrap
        self._consumer: AIOKafkaConsumer
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, auto_offset_reset="none", enable_auto_commit=False,
            max_partition_fetch_bytes=_FETCH_BYTES, fetch_max_wait_ms=_FETCH_WAIT_MS,
        )  # fmt: skip
        await self._consumer.start()

    async def stop(self) -> None:
        await self._consumer.stop()

    async def bounds(self, partitions: Sequence[int]) -> dict[int, Bounds]:
        """By partition, as of now."""
        at = [TopicPartition(self.topic, partition) for partition in partitions]
        begins = await self._consumer.beginning_offsets(at)
        ends = await self._consumer.end_offsets(at)
        return {place.partition: Bounds(begins[place], ends[place]) for place in at}

    async def read(self, partition: int, start: int, end: int) -> AsyncGenerator[list[SourceRecord], None]:
        """The records of [start, end), in lists; ends when the log is read up to `end`."""
        at = TopicPartition(self.topic, partition)
        async with self._turn:
            self._consumer.assign([at])
            self._consumer.seek(at, start)
            try:
                while await self._consumer.position(at) < end:
                    fetched = await self._consumer.getmany(at, timeout_ms=_POLL_MS, max_records=_MAX_RECORDS)
                    records = [source_record(record) for record in fetched.get(at, []) if record.offset < end]
                    if records:
                        yield records
            finally:
                self._consumer.assign([])

    async def holds_records(self, partition: int, start: int, end: int) -> bool:
        """True if there is a record in [start, end)."""
        async with aclosing(self.read(partition, start, end)) as found:
            async for _ in found:
                return True
        return False


def source_record(record: ConsumerRecord) -> SourceRecord:
    """A record as the steps take it; a null value is an empty one."""
    return SourceRecord(record.offset, record.timestamp, record.value or b"", record.headers)
