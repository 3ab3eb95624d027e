"""A record of tracking.enriched -> what the loader queues (pure)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sendtrail.enriched import (
    EnrichedHeader,
    EventRow,
    RelabelRow,
    Row,
    decode_row,
    decode_rows,
    read_enriched_headers,
)
from sendtrail.errors import Invalid
from sendtrail.ids import id_time_ms, is_event_id
from sendtrail.packs import split
from sinks.blocks import BadLine, LoadedRecord
from sinks.chain import Verdict
from sinks.partition import Partition
from sinks.plan import Entry

_DAY_MS = 86_400_000
_LAST_DAY = 2_932_896  # 9999-12-31


def read_lines(value: bytes) -> Sequence[Row | BadLine]:
    """The lines of an enriched record; one that is no row comes along as it is."""
    rows = decode_rows(value)
    if not isinstance(rows, Invalid):
        return rows
    return [_read_line(line, number) for number, line in enumerate(split(value))]


def _read_line(line: bytes, number: int) -> Row | BadLine:
    row = decode_row(line)
    return BadLine(line, number, row.detail) if isinstance(row, Invalid) else row


def loaded_record(
    partition: int, offset: int, log_time_ms: int, header: EnrichedHeader, value: bytes | None, last: int
) -> LoadedRecord:
    """An accepted record, cut to what extends a chain that stands at `last` (partial overlap)."""
    covers = EnrichedHeader(
        header.topic_id,
        max(header.source_from, last + 1),
        header.source_offset,
        header.counts,
        header.pack,
        header.totals,
    )
    rows = read_lines(value or b"")
    if header.source_from <= last:
        rows = [row for row in rows if isinstance(row, BadLine) or row.source_offset > last]
    return LoadedRecord(partition, offset, covers, rows, log_time_ms)


def entry_of(record: LoadedRecord, size: int, arrived: float) -> Entry:
    """What a plan must know of a record. Rows: those of events (a re-label makes two), rejects, and one of audit."""
    relabels = sum(type(row) is RelabelRow for row in record.rows)
    return Entry(record.offset, len(record.rows) + relabels + 1, size, months_of(record.rows), arrived)


def months_of(rows: Sequence[Row | BadLine]) -> frozenset[int]:
    """Months of the events that rows will be; a re-labelled event without a time in its id counts as one of its own."""
    days = {row.event_time_ms // _DAY_MS for row in rows if type(row) is EventRow}
    months = {_month_of_day(day) for day in days}
    for number, row in enumerate(rows):
        if type(row) is RelabelRow and row.target_id is not None and is_event_id(row.target_id):
            time_ms = id_time_ms(row.target_id)
            months.add(_month_of_day(time_ms // _DAY_MS) if time_ms else -1 - number)
    return frozenset(months)


@lru_cache(maxsize=65_536)
def _month_of_day(day: int) -> int:
    """A month as year * 12 + month, of a day since the epoch."""
    at = datetime.fromtimestamp(min(day, _LAST_DAY) * 86_400, UTC)
    return at.year * 12 + at.month


def offer(partition: Partition[LoadedRecord], number: int, record: Any, now: float) -> Verdict | Invalid:
    """Take a record of Kafka into the partition's chain and queue, or pass it; Invalid if it is no enriched record.

    `record`: kafka-python's ConsumerRecord. `now`: monotonic seconds.
    """
    header = read_enriched_headers(record.headers)
    if isinstance(header, Invalid):
        partition.skip(record.offset)
        return header
    last = partition.last
    verdict = partition.judge(record.offset, header, now)
    if verdict in (Verdict.NEXT, Verdict.OVERLAP):
        loaded = loaded_record(number, record.offset, record.timestamp, header, record.value, last)
        partition.accept(loaded, entry_of(loaded, len(record.value or b""), now), header.source_offset)
    return verdict
