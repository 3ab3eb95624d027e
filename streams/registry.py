"""A compacted topic -> the book of what it says (deliveries, consents): read whole at start, then followed."""

from typing import Protocol, cast

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from sendtrail.errors import Invalid, TopicsError

_POLL_MS = 500
_log = structlog.stdlib.get_logger(__name__)


class Book(Protocol):
    """Keeps what steps look up."""

    def __len__(self) -> int: ...

    def apply(self, key: bytes | None, value: bytes | None) -> Invalid | None:
        """Take in a record. Returns why it was refused."""


class RegistryFollower:
    """A consumer of its own, without a group. Methods raise aiokafka's KafkaError."""

    def __init__(self, bootstrap: str, topic: str, book: Book) -> None:
        self._topic = topic
        self._book = book
        self._bootstrap = bootstrap
        self._consumer: AIOKafkaConsumer

    async def start(self) -> None:
        """Read all there is. Raises TopicsError if there is no such topic."""
        self._consumer = AIOKafkaConsumer(
            self._topic, bootstrap_servers=self._bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
        )
        await self._consumer.start()
        partitions = self._consumer.assignment()
        if not partitions:
            raise TopicsError(f"topic {self._topic} does not exist: create the topics with `sendtrail topics`")
        ends = cast(dict[TopicPartition, int], await self._consumer.end_offsets(partitions))
        while any([await self._consumer.position(at) < end for at, end in ends.items()]):
            await self._take()
        _log.info("a registry is read", topic=self._topic, entries=len(self._book))

    async def follow(self) -> None:
        """Take in what comes, for ever."""
        while True:
            await self._take()

    async def stop(self) -> None:
        await self._consumer.stop()

    async def _take(self) -> None:
        for records in (await self._consumer.getmany(timeout_ms=_POLL_MS)).values():
            for record in records:
                refused = self._book.apply(record.key, record.value)
                if refused is not None:
                    _log.warning("a registry record was refused", offset=record.offset, why=refused.detail)
