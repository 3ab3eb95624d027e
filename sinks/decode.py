"""A record of tracking.enriched -> what the loader queues (pure)."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sendtrail.enriched import EnrichedHeader, EventRow, RelabelRow, Row, read_enriched_headers
from sendtrail.errors import Invalid
from sendtrail.ids import id_time_ms, is_event_id
from sinks.blocks import BadLine, LoadedRecord
from sinks.chain import Verdict
from sinks.lines import read_lines
from sinks.partition import Partition
from sinks.plan import Entry

_DAY_MS = 86_400_000
_DAY_MINUTES = 1_440
_LAST_DAY = 2_932_896  # 9999-12-31


class Lines(Iterable[Row | BadLine]):
    """The lines of a record whose source offset is above `above`, decoded each time they are gone through.

    Rows that wait would take four times the memory of their bytes, and twice the time of rows that are used at once.
    """

    def __init__(self, value: bytes, above: int | None) -> None:
        self._value, self._above = value, above

    def __iter__(self) -> Iterator[Row | BadLine]:
        rows, above = read_lines(self._value), self._above
        if above is None:
            return iter(rows)
        return (row for row in rows if isinstance(row, BadLine) or row.source_offset > above)


def loaded_record(
    partition: int, offset: int, log_time_ms: int, header: EnrichedHeader, value: bytes, last: int
) -> LoadedRecord:
    """An accepted record, cut to what extends a chain that stands at `last` (partial overlap)."""
    if header.source_from > last:
        return LoadedRecord(partition, offset, header, Lines(value, None), log_time_ms)
    covers = EnrichedHeader(
        header.topic_id, last + 1, header.source_offset, header.counts, header.pack, header.totals
    )  # fmt: skip
    return LoadedRecord(partition, offset, covers, Lines(value, last), log_time_ms)


def entry_of(record: LoadedRecord, size: int, arrived: float) -> Entry:
    """What a plan must know of a record of `size` bytes. Rows, as its header counts them: an event or reject one, a
    re-label two, and one of audit.
    """
    counts = record.header.counts.values()
    rows = 1 + sum(minute.out + minute.rejected + 2 * minute.relabels for minute in counts)
    return Entry(record.offset, rows, size, months_in(record), arrived)


def months_in(record: LoadedRecord) -> frozenset[int]:
    """Months of the rows a record will be: by the minutes in its header, where those are the events' own."""
    minutes = record.header.counts
    if any(counts.relabels for counts in minutes.values()) or not all(map(_tells_time, minutes)):
        return months_of(record.rows)
    return frozenset(_month_of_day(int(minute) // _DAY_MINUTES) for minute in minutes)


def _tells_time(minute: str) -> bool:
    """False for ids without a time (transactions), and for what is no number."""
    return minute.isascii() and minute.isdigit() and int(minute[:12]) > 0


def months_of(rows: Iterable[Row | BadLine]) -> frozenset[int]:
    """Months of the events that rows will be; a re-labelled event without a time in its id counts as one of its own."""
    months: set[int] = set()
    for number, row in enumerate(rows):
        if isinstance(row, EventRow):
            months.add(_month_of_day(row.event_time_ms // _DAY_MS))
        elif type(row) is RelabelRow and row.target_id is not None and is_event_id(row.target_id):
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
        value = record.value or b""
        loaded = loaded_record(number, record.offset, record.timestamp, header, value, last)
        partition.accept(loaded, entry_of(loaded, len(value), now), header.source_offset)
    return verdict
