"""Where the chain of each partition stands, as Kafka and table `audit` say it, whether loaders run or not."""

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, NamedTuple

from clickhouse_driver import Client
from kafka import TopicPartition

from sendtrail.enriched import read_enriched_headers
from sendtrail.errors import Invalid
from sendtrail.kafka_admin import physical_name, topic_id
from sendtrail.kafka_read import group_less, partitions_of, read_to_end
from sendtrail.settings import KafkaSettings
from sendtrail.topics import ENRICHED, EVENTS, LOADER_GROUP, STREAMS_GROUP
from sinks.chain import NOTHING
from sinks.consume import commits_of
from sinks.gaps import Held, Span, Walk, gone, readable
from sinks.plan import CommitMetadata, decode_metadata
from sinks.queries import query

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
    held = _held(kafka)
    _walk(kafka, walks, starts, progress)
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


def _commits(kafka: KafkaSettings) -> _Commits:
    loaders = {}
    for number, commit in commits_of(kafka, LOADER_GROUP, ENRICHED):
        metadata = decode_metadata(commit.metadata or "")
        loaders[number] = int(commit.offset), metadata if isinstance(metadata, CommitMetadata) else None
    workers = {number: int(commit.offset) for number, commit in commits_of(kafka, STREAMS_GROUP, EVENTS)}
    return _Commits(workers, loaders)


def _held(kafka: KafkaSettings) -> dict[int, Held]:
    with closing(group_less(kafka.bootstrap)) as consumer:
        wanted = partitions_of(consumer, physical_name(kafka, EVENTS))
        begins, ends = consumer.beginning_offsets(wanted), consumer.end_offsets(wanted)
    return {each.partition: Held(int(begins[each]), int(ends[each])) for each in wanted}


def _walk(
    kafka: KafkaSettings, walks: Mapping[int, Walk], starts: Mapping[int, int], progress: Progress
) -> None:  # fmt: skip
    """Follow each chain from its start to the end of tracking.enriched."""
    of = 0

    def begin(consumer: Any, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        nonlocal of
        begins, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        at = {each: min(max(starts.get(each.partition, ends[each]), begins[each]), ends[each]) for each in partitions}
        of = sum(ends[each] - at[each] for each in partitions)
        return at

    for done, record in enumerate(read_to_end(kafka.bootstrap, physical_name(kafka, ENRICHED), begin), start=1):
        header = read_enriched_headers(record.headers)
        if not isinstance(header, Invalid):
            walks[record.partition].take(header)
        progress(done, of)


def _holes(client: Client, source: str) -> dict[int, list[Span]]:
    """Between two records in table `audit`: rows that were taken away behind the loader's back."""
    found: dict[int, list[Span]] = {}
    for partition, first, last in client.execute(query("chain_holes"), {"topic": source, "limit": _HOLES}):
        found.setdefault(partition, []).append(Span(first, last))
    return found


def offsets_at(kafka: KafkaSettings, time_ms: int) -> dict[int, int]:
    """By partition, the first source offset of a moment of log time or later (UTC milliseconds). Raises KafkaError."""
    wanted = [TopicPartition(physical_name(kafka, EVENTS), number) for number in range(kafka.partitions)]
    with closing(group_less(kafka.bootstrap)) as consumer:
        found = consumer.offsets_for_times(dict.fromkeys(wanted, time_ms))
        ends = consumer.end_offsets(wanted)
    return {each.partition: int(found[each].offset if found.get(each) else ends[each]) for each in wanted}
