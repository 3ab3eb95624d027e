"""tracking.enriched -> the records that once covered some source offsets, read again in the order they were loaded."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, NamedTuple

from kafka import TopicPartition

from sendtrail.enriched import read_enriched_headers
from sendtrail.errors import Invalid
from sendtrail.kafka_admin import physical_name
from sendtrail.kafka_read import group_less
from sendtrail.settings import KafkaSettings
from sendtrail.topics import ENRICHED, MIB
from sinks.blocks import LoadedRecord
from sinks.chain import Verdict, judge
from sinks.decode import loaded_record
from sinks.gaps import Span

_POLL_MS = 500

#: Gets how many source offsets are done with.
Progress = Callable[[int], None]


class Begin(NamedTuple):
    """Where to read from: an offset of tracking.enriched, and the last source offset before it."""

    offset: int
    last: int


class Ahead(NamedTuple):
    """The first record that runs ahead of the chain."""

    offset: int
    first: int


def records_again(
    kafka: KafkaSettings, topic_id: str, partition: int, span: Span, begin: Begin | None, absent: list[Span]
) -> Iterator[LoadedRecord]:
    """The records of a partition that cover `span`, each once. `begin`: None = from the log's beginning.

    What no record covers any more is added to `absent`. Raises KafkaError.
    """
    at = TopicPartition(physical_name(kafka, ENRICHED), partition)
    with closing(group_less(kafka.bootstrap, max_partition_fetch_bytes=ENRICHED.max_bytes + MIB)) as consumer:
        consumer.assign([at])
        bounds = consumer.beginning_offsets([at])[at], consumer.end_offsets([at])[at]
        offset, last = begin if begin is not None else (bounds[0], None)
        offset = offset if bounds[0] <= offset <= bounds[1] else bounds[0]
        while last is None or last < span.last:
            reader = _Pass(consumer, at, bounds[1], topic_id, span, last)
            yield from reader.run(offset)
            last = reader.last
            if reader.ahead is None:
                break
            absent += _within(span, reader.ahead, last)
            offset, last = reader.ahead.offset, reader.ahead.first - 1
        reached = last if last is not None else span.first - 1
        if reached < span.last:
            absent.append(Span(max(span.first, reached + 1), span.last))


def _within(span: Span, ahead: Ahead, last: int | None) -> list[Span]:
    first, end = max(span.first, (last if last is not None else span.first - 1) + 1), min(span.last, ahead.first - 1)
    return [Span(first, end)] if first <= end else []


class _Pass:
    """One pass through the log: what extends the chain from `last`, whatever runs ahead of it at first."""

    def __init__(
        self, consumer: Any, at: TopicPartition, end: int, topic_id: str, span: Span, last: int | None
    ) -> None:
        self._consumer, self._at, self._end = consumer, at, end
        self._topic_id, self._span = topic_id, span
        self.last = last
        self.ahead: Ahead | None = None

    def run(self, offset: int) -> Iterator[LoadedRecord]:
        for record in self._read(offset):
            header = read_enriched_headers(record.headers)
            if isinstance(header, Invalid) or header.topic_id != self._topic_id:
                continue
            if self.last is None:
                self.last = min(header.source_from, self._span.first) - 1
            verdict = judge(self._topic_id, self.last, header)
            if verdict in (Verdict.NEXT, Verdict.OVERLAP):
                before, self.last, self.ahead = self.last, header.source_offset, None
                if header.source_offset >= self._span.first:
                    value = record.value or b""
                    yield loaded_record(self._at.partition, record.offset, record.timestamp, header, value, before)
                if self.last >= self._span.last:
                    return
            elif verdict is Verdict.AHEAD and self.ahead is None:
                self.ahead = Ahead(record.offset, header.source_from)

    def _read(self, offset: int) -> Iterator[Any]:
        self._consumer.seek(self._at, offset)
        while self._consumer.position(self._at) < self._end:
            for records in self._consumer.poll(timeout_ms=_POLL_MS).values():
                yield from (record for record in records if record.offset < self._end)
