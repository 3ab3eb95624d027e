"""Where the chain of each partition stands, as Kafka and table `audit` say it, whether loaders run or not."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any, NamedTuple

from clickhouse_driver import Client
from kafka import KafkaConsumer, TopicPartition

from sendtrail.enriched import read_enriched_headers
from sendtrail.errors import Invalid
from sendtrail.kafka_admin import physical_name, topic_id
from sendtrail.settings import KafkaSettings
from sendtrail.topics import ENRICHED, EVENTS, LOADER_GROUP, MIB, STREAMS_GROUP
from sinks.chain import NOTHING
from sinks.gaps import Held, Span, Walk, gone, readable
from sinks.plan import CommitMetadata, decode_metadata
from sinks.queries import query

_POLL_MS = 500
_HOLES = 1_000

#: Gets how many records of tracking.enriched were looked at, and how many there are to look at.
Progress = Callable[[int, int], None]


class Standing(NamedTuple):
    """One partition. Offsets are of tracking.events, `enriched` apart.

    `loaded`: the last source offset in ClickHouse. `waiting`: the last that enriched records continue the chain to.
    `processed`: the next one of the workers. `enriched`: the next record of tracking.enriched to be loaded. `lost`:
    what commits say is loaded and table `audit` has not.
    """

    partition: int
    topic_id: str
    loaded: int
    waiting: int
    processed: int
    held: Held
    enriched: int
    gap: Span | None
    lost: Span | None
    holes: tuple[Span, ...]

    @property
    def gone(self) -> Span | None:
        """The part of the gap that can't be read again."""
        return gone(self.gap, self.held) if self.gap else None

    @property
    def readable(self) -> Span | None:
        """The part of the gap that can be enriched again."""
        return readable(self.gap, self.held) if self.gap else None


class _Commits(NamedTuple):
    """What the two groups have committed, by partition."""

    workers: Mapping[int, int]
    loaders: Mapping[int, tuple[int, CommitMetadata | None]]


def standings(kafka: KafkaSettings, client: Client, progress: Progress = lambda done, of: None) -> list[Standing]:
    """Every partition, in order. Reads what of tracking.enriched is not loaded yet.

    Raises TopicsError where there are no topics, KafkaError, and the driver's errors.
    """
    source = topic_id(kafka.bootstrap, physical_name(kafka, EVENTS))
    enriched = topic_id(kafka.bootstrap, physical_name(kafka, ENRICHED))
    commits = _commits(kafka)  # before the end of the log is looked up: what workers committed is in it
    stored = dict(client.execute(query("audit_positions"), {"topic": source}))
    walks, starts, lost = {}, {}, {}
    for number in range(kafka.partitions):
        offset, metadata = commits.loaders.get(number, (0, None))
        own = metadata is not None and metadata.topic == source and metadata.log in ("", enriched)
        said = metadata.src if metadata is not None and own else NOTHING
        in_table = int(stored.get(number, NOTHING))
        walks[number] = Walk(source, max(said, in_table))
        starts[number] = offset if own else 0
        lost[number] = Span(in_table + 1, said) if said > in_table else None
    with closing(_consumer(kafka, None)) as consumer:
        held = _held(consumer, physical_name(kafka, EVENTS), kafka.partitions)
        _walk(consumer, physical_name(kafka, ENRICHED), walks, starts, progress)
    holes = _holes(client, source)
    found = []
    for number, walk in walks.items():
        processed = commits.workers.get(number, 0)
        found.append(Standing(
            number, source, int(stored.get(number, NOTHING)), walk.last, processed, held[number], starts[number],
            walk.gap(min(processed, held[number].end)), lost[number], tuple(holes.get(number, ())),
        ))  # fmt: skip
    return found


def loaded_offset(client: Client, standing: Standing) -> int:
    """The last source offset of a partition in ClickHouse, as of now."""
    return int(dict(client.execute(query("audit_positions"), {"topic": standing.topic_id})).get(standing.partition, -1))


def _consumer(kafka: KafkaSettings, group: str | None) -> Any:
    return KafkaConsumer(
        bootstrap_servers=kafka.bootstrap.split(","), group_id=group, enable_auto_commit=False,
        auto_offset_reset="earliest", allow_auto_create_topics=False,
        max_partition_fetch_bytes=ENRICHED.max_bytes + MIB,
    )  # fmt: skip


def _commits(kafka: KafkaSettings) -> _Commits:
    workers, loaders = {}, {}
    with closing(_consumer(kafka, kafka.topic_prefix + STREAMS_GROUP)) as consumer:
        for number in range(kafka.partitions):
            offset = consumer.committed(TopicPartition(physical_name(kafka, EVENTS), number))
            workers[number] = max(0, offset or 0)
    with closing(_consumer(kafka, kafka.topic_prefix + LOADER_GROUP)) as consumer:
        for number in range(kafka.partitions):
            commit = consumer.committed(TopicPartition(physical_name(kafka, ENRICHED), number), metadata=True)
            if commit is not None and commit.offset >= 0:
                metadata = decode_metadata(commit.metadata or "")
                loaders[number] = commit.offset, metadata if isinstance(metadata, CommitMetadata) else None
    return _Commits(workers, loaders)


def _held(consumer: Any, topic: str, partitions: int) -> dict[int, Held]:
    wanted = [TopicPartition(topic, number) for number in range(partitions)]
    begins, ends = consumer.beginning_offsets(wanted), consumer.end_offsets(wanted)
    return {each.partition: Held(int(begins[each]), int(ends[each])) for each in wanted}


def _walk(
    consumer: Any, topic: str, walks: Mapping[int, Walk], starts: Mapping[int, int], progress: Progress
) -> None:  # fmt: skip
    for record, done, of in _records(consumer, topic, starts):
        header = read_enriched_headers(record.headers)
        if not isinstance(header, Invalid):
            walks[record.partition].take(header)
        progress(done, of)


def _records(consumer: Any, topic: str, starts: Mapping[int, int]) -> Iterator[tuple[Any, int, int]]:
    """The records from `starts` to the present ends, with how many offsets are passed and how many there are."""
    wanted = [TopicPartition(topic, number) for number in starts]
    begins, ends = consumer.beginning_offsets(wanted), consumer.end_offsets(wanted)
    at = {each: min(max(starts[each.partition], begins[each]), ends[each]) for each in wanted}
    of = sum(ends[each] - at[each] for each in wanted)
    consumer.assign(wanted)
    for each, offset in at.items():
        consumer.seek(each, offset)
    left = {each for each in wanted if at[each] < ends[each]}
    while left:
        for each, records in consumer.poll(timeout_ms=_POLL_MS).items():
            for record in records:
                if record.offset < ends[each]:
                    at[each] = record.offset + 1
                    yield record, of - sum(ends[one] - at[one] for one in wanted), of
        left = {each for each in left if consumer.position(each) < ends[each]}


def _holes(client: Client, source: str) -> dict[int, list[Span]]:
    """Between two records in table `audit`: rows that were taken away behind the loader's back."""
    found: dict[int, list[Span]] = {}
    for partition, first, last in client.execute(query("chain_holes"), {"topic": source, "limit": _HOLES}):
        found.setdefault(partition, []).append(Span(first, last))
    return found


def offsets_at(kafka: KafkaSettings, time_ms: int) -> dict[int, int]:
    """By partition, the first source offset of a moment of log time or later (UTC milliseconds). Raises KafkaError."""
    wanted = [TopicPartition(physical_name(kafka, EVENTS), number) for number in range(kafka.partitions)]
    with closing(_consumer(kafka, None)) as consumer:
        found = consumer.offsets_for_times(dict.fromkeys(wanted, time_ms))
        ends = consumer.end_offsets(wanted)
    return {each.partition: int(found[each].offset if found.get(each) else ends[each]) for each in wanted}
