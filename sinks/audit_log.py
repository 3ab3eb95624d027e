"""Both topics and the groups' commits -> what is on its way, and what was gone before it was loaded.

What is loaded is asked first, then the commits, then the topics: an event that moves on meanwhile is seen at least
once.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from kafka import TopicPartition

from sendtrail import packs
from sendtrail.enriched import EnrichedHeader, read_enriched_headers
from sendtrail.ids import id_time_ms, is_event_id
from sendtrail.kafka_admin import physical_name
from sendtrail.kafka_read import group_less, partitions_of, read_to_end
from sendtrail.settings import KafkaSettings
from sendtrail.topics import ENRICHED, EVENTS, LOADER_GROUP, STREAMS_GROUP
from sinks.audit_findings import Hole, Segment
from sinks.consume import commits_of, enriched_id
from sinks.plan import CommitMetadata, decode_metadata

Minutes = Counter[int]
#: Told how many records were read, now and then.
Progress = Callable[[str, int], None]


class _Id(msgspec.Struct):
    id: str


_decoder = msgspec.json.Decoder(_Id)


def minute_of_line(line: bytes, record_time_ms: int) -> int:
    """Minute of an event's id; of the record where the line can't be decoded (FORMATS)."""
    try:
        event_id = _decoder.decode(line).id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return packs.minute_of(record_time_ms)
    return packs.minute_of(id_time_ms(event_id) if is_event_id(event_id) else record_time_ms)


class Bounds(NamedTuple):
    """Oldest offset there, and the one behind the newest."""

    begin: int
    end: int


@dataclass
class Tail:
    """What the topics hold beyond the loaded records; by minute, and for packs by segment and source partition."""

    events: Minutes = field(default_factory=Counter)
    direct: Minutes = field(default_factory=Counter)
    by_place: dict[tuple[Segment, int], Minutes] = field(default_factory=dict)
    totals: dict[Segment, dict[int, Minutes]] = field(default_factory=dict)
    previous: dict[Segment, int] = field(default_factory=dict)
    _seen: set[tuple[Segment, int, int]] = field(default_factory=set)

    def add(self, partition: int, headers: packs.Headers, minutes: Minutes) -> None:
        """A record: its place, headers and events by minute. A pack that was sent again counts once."""
        header = packs.read_headers(headers)
        self.events += minutes
        if not isinstance(header, packs.PackHeader):
            self.direct += minutes
            return
        segment = Segment(header.spool, header.segment)
        by_minute = self.by_place.setdefault((segment, partition), Counter())
        if (segment, partition, header.first) not in self._seen or not header.events:
            by_minute.update(minutes)
        self._seen.add((segment, partition, header.first))
        totals = packs.read_totals(headers)
        if totals is not None:
            self.previous[segment] = totals.previous
            by_partition = self.totals.setdefault(segment, {})
            for number, counts in totals.counts.items():
                by_partition.setdefault(int(number), Counter()).update({int(m): n for m, n in counts.items()})

    def by_segment(self) -> dict[Segment, Minutes]:
        """Events of each segment, over all partitions."""
        found: dict[Segment, Minutes] = {}
        for (segment, _), minutes in self.by_place.items():
            found.setdefault(segment, Counter()).update(minutes)
        return found


#: Partition of tracking.enriched -> the offset, and what the commit says.
LoaderCommits = Mapping[int, tuple[int, CommitMetadata | None]]


class Log:
    """One look at both topics, for the audit of a topic id whose loaded positions are known."""

    def __init__(self, kafka: KafkaSettings, topic_id: str, commits: LoaderCommits, loaded: Mapping[int, int]) -> None:
        """`loaded`: partition -> last loaded source offset, asked after the loaders' `commits`.

        Reads the workers' commits and the logs' bounds. Raises KafkaError.
        """
        self._kafka, self._topic_id, self._loaded = kafka, topic_id, dict(loaded)
        self.events_name, self._enriched_name = physical_name(kafka, EVENTS), physical_name(kafka, ENRICHED)
        self.commits = commits
        self.processed = {number: int(commit.offset) for number, commit in commits_of(kafka, STREAMS_GROUP, EVENTS)}
        self.events, self.enriched = self._bounds(self.events_name), self._bounds(self._enriched_name)

    def last(self, partition: int) -> int:
        """The last loaded source offset, -1 where nothing is."""
        return self._loaded.get(partition, -1)

    def read(self, progress: Progress) -> tuple[Tail, list[Hole]]:
        """What is on its way, and what is missing of it. Raises KafkaError."""
        tail = Tail()
        for number, record in enumerate(self._read(self.events_name, lambda p: self.last(p) + 1)):
            lines = packs.split(record.value or b"")
            minutes = Counter(minute_of_line(line, record.timestamp) for line in lines)
            tail.add(record.partition, record.headers, minutes)
            progress("reading tracking.events beyond what is loaded", number)
        reached = {partition: self.last(partition) for partition in self.events}
        holes: list[Hole] = []
        for number, (partition, header, headers) in enumerate(self._read_enriched()):
            self._follow(partition, header, headers, reached, holes, tail)
            progress("reading tracking.enriched beyond what is loaded", number)
        return tail, [*holes, *self._never_enriched(reached)]

    def _follow(
        self, partition: int, header: EnrichedHeader, headers: packs.Headers, reached: dict[int, int],
        holes: list[Hole], tail: Tail,
    ) -> None:  # fmt: skip
        """One enriched record: does it extend the chain? Its events count here where the source is gone already."""
        last = reached.setdefault(partition, self.last(partition))
        if header.source_offset <= last:
            return
        if header.source_from > last + 1:
            holes.append(self._hole(partition, last + 1, header.source_from - 1))
        reached[partition] = header.source_offset
        if header.source_offset < self.events.get(partition, Bounds(0, 0)).begin:
            tail.add(partition, headers, Counter({
                int(minute): counts.events_in for minute, counts in header.counts.items() if counts.events_in
            }))  # fmt: skip

    def _never_enriched(self, reached: Mapping[int, int]) -> Iterator[Hole]:
        """Behind the last enriched record: processed and without one, or gone before it was processed."""
        for partition, (begin, _) in sorted(self.events.items()):
            last, done = reached.get(partition, -1), self.processed.get(partition, 0)
            if done - 1 > last:
                yield self._hole(partition, last + 1, done - 1)
            if begin > max(last + 1, done):
                yield Hole(self._topic_id, partition, max(last + 1, done), begin - 1, "log_gone")

    def _hole(self, partition: int, first: int, last: int) -> Hole:
        """Why enriched records are missing: were some deleted before they were loaded, or never there?"""
        begin, done = self.enriched[partition].begin, self.processed.get(partition, 0)
        if self.commits.get(partition, (0, None))[0] < begin:
            return Hole(self._topic_id, partition, first, last, "enriched_gone")
        gone = last < self.events[partition].begin and first >= done
        return Hole(self._topic_id, partition, first, last, "log_gone" if gone else "never_sent")

    def _read_enriched(self) -> Iterator[tuple[int, EnrichedHeader, packs.Headers]]:
        for record in self._read(self._enriched_name, lambda p: self.commits.get(p, (0, None))[0]):
            header = read_enriched_headers(record.headers)
            if isinstance(header, EnrichedHeader) and header.topic_id == self._topic_id:
                yield record.partition, header, record.headers

    def _read(self, name: str, start: Callable[[int], int]) -> Iterator[Any]:
        def starts(_: Any, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
            return {each: start(each.partition) for each in partitions}

        return read_to_end(self._kafka.bootstrap, name, starts)

    def _bounds(self, name: str) -> dict[int, Bounds]:
        with closing(group_less(self._kafka.bootstrap)) as consumer:
            partitions = partitions_of(consumer, name)
            begins, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        return {each.partition: Bounds(begins[each], ends[each]) for each in partitions}


def loader_commits(kafka: KafkaSettings) -> LoaderCommits:
    """The loaders' commits; those for an earlier topic left out. Raises KafkaError."""
    log_id, found = enriched_id(kafka), {}
    for partition, commit in commits_of(kafka, LOADER_GROUP, ENRICHED):
        metadata = decode_metadata(commit.metadata or "")
        known = metadata if isinstance(metadata, CommitMetadata) else None
        if known is None or not known.log or known.log == log_id:
            found[partition] = (int(commit.offset), known)
    return found


def read_pack(kafka: KafkaSettings, partition: int, offset: int) -> list[bytes]:
    """The lines of one record of tracking.events; none where it is not there any more. Raises KafkaError."""
    at = TopicPartition(physical_name(kafka, EVENTS), partition)
    with closing(group_less(kafka.bootstrap)) as consumer:
        consumer.assign([at])
        begin, end = consumer.beginning_offsets([at])[at], consumer.end_offsets([at])[at]
        if not begin <= offset < end:
            return []
        consumer.seek(at, offset)
        for _ in range(5):
            for record in consumer.poll(2_000, max_records=1).get(at, []):
                return packs.split(record.value or b"") if record.offset == offset else []
    return []
