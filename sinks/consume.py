"""tracking.enriched -> records by partition, and the group's commits: the loader's side of Kafka.

Every method may raise KafkaError; after one at a commit nothing is certain and the loader starts again from what is
committed.
"""

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.errors import KafkaError
from kafka.structs import MemberState

from sendtrail.kafka_admin import physical_name, topic_id
from sendtrail.kafka_read import partitions_of
from sendtrail.settings import KafkaSettings
from sendtrail.topics import ENRICHED, EVENTS, LOADER_GROUP, MIB, Topic
from sinks.gaps import Held
from sinks.member import OneOwner
from sinks.plan import Commit, CommitMetadata, Range, RangeGone, decode_metadata, encode_metadata

_COMMIT_TIMEOUT_MS = 15_000
_READ_TIMEOUT_S = 60.0
_FOR_EVER_MS = 2**31 - 1
#: What both consumers of this module share. `earliest` is where a partition without a commit begins; a position that
#: the broker does not have shows in the chain, whatever it is reset to.
_COMMON: dict[str, Any] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "allow_auto_create_topics": False,
    "max_partition_fetch_bytes": ENRICHED.max_bytes + MIB,
    "fetch_max_wait_ms": 100,
    "reconnect_backoff_max_ms": 1_000,
    # kafka-python may miss the topic in an answer that was under way when it subscribed: ask again soon.
    "metadata_max_age_ms": 5_000,
    "request_timeout_ms": 30_000,
}

Record = Any  # kafka-python's ConsumerRecord


class NotOwner(KafkaError):  # type: ignore[misc]  # kafka-python has no type hints
    """The group was rebalanced since the plan was made: the partitions may be another loader's."""


class _Forget(ConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no type hints
    """Counts assignments: rebalance callbacks only make the loader forget (FACTS B 6)."""

    def __init__(self) -> None:
        self.assignments = 0

    def _count(self, partitions: Collection[TopicPartition]) -> None:
        self.assignments += 1

    on_partitions_revoked = on_partitions_assigned = on_partitions_lost = _count


class Source:
    """A static member of the loaders' group. Not thread-safe."""

    def __init__(self, kafka: KafkaSettings, member: str, session_timeout_s: int, *, one_owner: bool) -> None:
        self._kafka = kafka
        self.topic = physical_name(kafka, ENRICHED)
        self._listener = _Forget()
        strategies = {"partition_assignment_strategy": (OneOwner(),)} if one_owner else {}
        self._consumer = KafkaConsumer(
            bootstrap_servers=kafka.bootstrap.split(","),
            group_id=kafka.topic_prefix + LOADER_GROUP,
            group_instance_id=member,
            client_id=member,
            session_timeout_ms=session_timeout_s * 1000,
            heartbeat_interval_ms=max(1, session_timeout_s * 1000 // 5),
            max_poll_interval_ms=_FOR_EVER_MS,
            **strategies,
            **_COMMON,
        )
        self._consumer.subscribe([self.topic], listener=self._listener)
        self._consumer.partitions_for_topic(self.topic)  # or the first assignment is made without knowing them

    @property
    def assignment(self) -> int:
        """A number that changes with every assignment, also where the group's generation does not (FACTS B 2)."""
        return self._listener.assignments

    def log_id(self) -> str:
        """The id of tracking.enriched: offsets of a topic made anew mean something else. Raises TopicsError too."""
        return enriched_id(self._kafka)

    def poll(self, timeout_ms: int, max_records: int) -> dict[int, list[Record]]:
        """What arrived, by partition."""
        polled = self._consumer.poll(timeout_ms=timeout_ms, max_records=max_records)
        return {partition.partition: records for partition, records in polled.items()}

    def assigned(self) -> set[int]:
        """Partitions this member owns now."""
        return {partition.partition for partition in self._consumer.assignment() or ()}

    def committed(self, partition: int) -> Commit | None:
        """The group's commit, whoever owns the partition."""
        found = self._consumer.committed(self._partition(partition), metadata=True, timeout_ms=_COMMIT_TIMEOUT_MS)
        if found is None or found.offset < 0:
            return None
        metadata = decode_metadata(found.metadata or "")
        return Commit(found.offset, metadata if isinstance(metadata, CommitMetadata) else None)

    def commit(self, commits: Mapping[int, tuple[int, CommitMetadata]], assignment: int) -> None:
        """Commit offsets in one request. Raises NotOwner if `assignment` is not the present one any more."""
        member = self._consumer.group_metadata()
        if assignment != self.assignment or member.state != MemberState.STABLE:
            raise NotOwner("the group was rebalanced since the plan was made")
        offsets = {
            self._partition(partition): OffsetAndMetadata(offset, encode_metadata(metadata), -1)
            for partition, (offset, metadata) in commits.items()
        }
        self._consumer.commit(offsets, timeout_ms=_COMMIT_TIMEOUT_MS)

    def beginning(self, partition: int) -> int:
        """The oldest offset of a partition."""
        key = self._partition(partition)
        return int(self._consumer.beginning_offsets([key])[key])

    def held(self, partition: int) -> Held:
        """What tracking.events holds of a partition: its records can be enriched again."""
        key = TopicPartition(physical_name(self._kafka, EVENTS), partition)
        return Held(int(self._consumer.beginning_offsets([key])[key]), int(self._consumer.end_offsets([key])[key]))

    def seek(self, partition: int, offset: int) -> None:
        """Go on reading at an offset."""
        self._consumer.seek(self._partition(partition), offset)

    def flow(self, closed: Collection[int]) -> None:
        """Fetch from all assigned partitions but these; heartbeats go on."""
        assigned = self.assigned()
        paused = {partition.partition for partition in self._consumer.paused()}
        stop, go = (assigned & set(closed)) - paused, (paused & assigned) - set(closed)
        self._consumer.pause(*map(self._partition, stop))
        self._consumer.resume(*map(self._partition, go))

    def lag(self, partition: int, position: int) -> int | None:
        """Records behind `position`, as of the last fetch."""
        newest = self._consumer.highwater(self._partition(partition))
        return None if newest is None else max(0, newest - position)

    def close(self) -> None:
        """Leave without a rebalance: a static member that comes back finds its partitions."""
        self._consumer.close(autocommit=False, timeout_ms=5_000)

    def _partition(self, number: int) -> TopicPartition:
        return TopicPartition(self.topic, number)


def enriched_id(kafka: KafkaSettings) -> str:
    """The id of tracking.enriched. Raises TopicsError where there is none, KafkaError."""
    return topic_id(kafka.bootstrap, physical_name(kafka, ENRICHED))


def commits_of(kafka: KafkaSettings, group: str, topic: Topic) -> Iterator[tuple[int, Any]]:
    """The partitions of a topic that a group has committed, with offset and metadata; asked without joining the group.

    Raises KafkaError.
    """
    consumer = KafkaConsumer(
        bootstrap_servers=kafka.bootstrap.split(","), group_id=kafka.topic_prefix + group, enable_auto_commit=False
    )
    with closing(consumer):
        for partition in partitions_of(consumer, physical_name(kafka, topic)):
            commit = consumer.committed(partition, metadata=True)
            if commit is not None and commit.offset >= 0:
                yield partition.partition, commit


def read_ranges(kafka: KafkaSettings, ranges: Mapping[int, Range]) -> dict[int, list[Record]]:
    """The records of some ranges, owned or not, without joining the group.

    Raises RangeGone if the topic does not hold them all any more, KafkaError.
    """
    topic = physical_name(kafka, ENRICHED)
    wanted = {TopicPartition(topic, partition): bounds for partition, bounds in ranges.items()}
    with _reader(kafka) as consumer:
        consumer.assign(list(wanted))
        oldest, newest = consumer.beginning_offsets(list(wanted)), consumer.end_offsets(list(wanted))
        for partition, (first, end) in wanted.items():
            if oldest[partition] > first or newest[partition] < end:
                raise RangeGone(
                    f"offsets {first} to {end - 1} of {topic} partition {partition} are asked for, "
                    f"{oldest[partition]} to {newest[partition] - 1} are there"
                )
            consumer.seek(partition, first)
        return _collect(consumer, wanted)


def _collect(consumer: Any, wanted: Mapping[TopicPartition, Range]) -> dict[int, list[Record]]:
    found: dict[int, list[Record]] = {partition.partition: [] for partition in wanted}
    open_ = dict(wanted)
    deadline = time.monotonic() + _READ_TIMEOUT_S
    while open_:
        if time.monotonic() > deadline:
            raise KafkaError(f"reading the ranges of an open plan took longer than {_READ_TIMEOUT_S:g} s")
        for partition, records in consumer.poll(timeout_ms=500).items():
            found[partition.partition] += [record for record in records if record.offset < wanted[partition][1]]
        for partition in [each for each in open_ if consumer.position(each) >= open_[each][1]]:
            consumer.pause(partition)
            del open_[partition]
    return found


@contextmanager
def _reader(kafka: KafkaSettings) -> Iterator[Any]:
    consumer = KafkaConsumer(bootstrap_servers=kafka.bootstrap.split(","), group_id=None, **_COMMON)
    try:
        yield consumer
    finally:
        consumer.close()
