"""tracking.enriched -> columns of `events`, `rejects` and `audit`. Pure but for the lookup it is given, and total:
every line ends as a row, a reject, or a late duplicate that is counted; nothing it returns is refused by ClickHouse.
"""

from array import array
from collections.abc import Sequence, Set
from typing import Any, NamedTuple

from sendtrail.enriched import EventRow, RejectRow, RelabelRow, Row
from sendtrail.errors import Invalid, SendtrailError
from sendtrail.packs import minute_of
from sinks import refuse
from sinks.addresses import IN_FULL, Keep
from sinks.blocks import MAPPING_VERSION, BadLine, Blocks, LoadedRecord, Place, StoredLookup, StoredRow, Target
from sinks.columns import MAX_TIME_MS
from sinks.late import late_duplicates
from sinks.lines import EVENTS
from sinks.prove import are_sound, fault
from sinks.relabels import Origin, relabel, target_of
from sinks.tally import Tally, audit_block, bounded
from sinks.transpose import (
    Columns,
    append_rows,
    event_block,
    event_columns,
    fields_of,
    row_at,
)

#: Rows that are transposed and proved at once: they fit into the processor's cache.
PIECE = 200


class UnknownMapping(SendtrailError):
    """An intent was written by a newer release, whose mapping this one does not know."""


def build(
    records: Sequence[LoadedRecord],
    stored: StoredLookup,
    mapping_version: int = MAPPING_VERSION,
    keep_addresses: Keep = IN_FULL,
) -> Blocks:
    """One block per table for the records of a plan, in the order of their partitions and offsets.

    The same records give the same blocks, before and after they were inserted. Raises UnknownMapping, and what
    `stored` raises.
    """
    if mapping_version != MAPPING_VERSION:
        raise UnknownMapping(
            f"the intent's mapping is version {mapping_version}; this release has {MAPPING_VERSION}: start the release "
            "that made it until its plan is committed, then this one"
        )
    batch = _Batch(sorted(records, key=lambda record: (record.partition, record.offset)), keep_addresses)
    batch.keep_sound()
    batch.drop_late_duplicates(stored)
    columns = batch.columns()
    _relabel(batch, columns, stored)
    return _blocks(batch, columns)


class _Relabel(NamedTuple):
    record: int
    row: RelabelRow


class _Batch:
    """The lines of a plan by kind. `fields` of its events and `owners` (numbers of their records) run parallel.

    Records are decoded one after the other and transposed while they are in the processor's cache: a plan's rows kept
    as objects would cost several times what their columns do.
    """

    def __init__(self, records: Sequence[LoadedRecord], keep_addresses: Keep) -> None:
        self.records = [record._replace(log_time_ms=bounded(record.log_time_ms, MAX_TIME_MS)) for record in records]
        self.tallies = [Tally() for _ in records]
        self.owners: list[int] = []
        self.relabels: list[_Relabel] = []
        self.rejects: list[refuse.RejectColumns] = []
        self.fields = fields_of([])
        self.are_sound = True
        self._keep_addresses = keep_addresses
        self._alike: dict[Any, Any] = {}
        piece: list[EventRow] = []
        for number in range(len(records)):
            piece += self._sort(number)
            if len(piece) >= PIECE:
                self._add(piece)
                piece = []
        self._add(piece)

    def _add(self, piece: Sequence[EventRow]) -> None:
        fields = fields_of(piece, self._alike)
        self.are_sound = self.are_sound and are_sound(fields)
        self._keep_addresses(fields)
        self.fields.extend(fields)

    def _sort(self, number: int) -> list[EventRow]:
        """The events of a record; what else is in it goes where it belongs."""
        record = self.records[number]
        rows: list[Any] = list(record.rows)
        events = rows if EVENTS.issuperset(map(type, rows)) else [row for row in rows if type(row) in EVENTS]
        self.owners += [number] * len(events)
        if len(events) < len(rows):
            self._sort_others(number, record, rows)
        return events

    def _sort_others(self, number: int, record: LoadedRecord, rows: Sequence[Row | BadLine]) -> None:
        for row in rows:
            if isinstance(row, RelabelRow):
                self.relabels.append(_Relabel(number, row))
            elif isinstance(row, RejectRow):
                self.reject(number, refuse.from_streams(record, row))
            elif isinstance(row, BadLine):
                self.tallies[number].refused[minute_of(record.log_time_ms)] += 1
                self.reject(number, refuse.from_line(record, row))

    def reject(self, number: int, row: refuse.RejectColumns) -> None:
        self.rejects.append(row)
        self.tallies[number].reject_rows += 1

    def keep_sound(self) -> None:
        """Turn events that ClickHouse would refuse into rejects."""
        if self.are_sound:
            return
        rows = (row for record in self.records for row in record.rows if isinstance(row, EventRow))
        faults = {number: (row, text) for number, row in enumerate(rows) if (text := fault(row)) is not None}
        for number, (row, text) in faults.items():
            owner = self.owners[number]
            self.tallies[owner].refused[_minute(row.event_id, self.records[owner])] += 1
            self.reject(owner, refuse.from_loader(self.records[owner], row, "bad_field", text))
        self._leave_out(faults.keys())

    def drop_late_duplicates(self, stored: StoredLookup) -> None:
        """Leave out events below the id window that are stored already."""
        if "marks" not in self.fields:
            return
        topic_ids = [self.records[owner].header.topic_id for owner in self.owners]
        duplicates = late_duplicates(self.fields, topic_ids, stored)
        for number in duplicates:
            owner = self.owners[number]
            minute = _minute(self.fields["event_id"][number], self.records[owner])
            self.tallies[owner].late_duplicate[minute] += 1
        self._leave_out(duplicates)

    def _leave_out(self, numbers: Set[int]) -> None:
        if not numbers:
            return
        kept = [number for number in range(len(self.owners)) if number not in numbers]
        self.owners = [self.owners[number] for number in kept]
        self.fields = self.fields.only(kept)

    def columns(self) -> Columns:
        """Columns of the events that are left; counts them as stored."""
        counts = [0] * len(self.records)
        for owner in self.owners:
            counts[owner] += 1
        columns = event_columns(self.fields, list(zip(self.records, counts, strict=True)))
        minutes, start = _minutes(columns["event_id"]), 0
        for tally, count in zip(self.tallies, counts, strict=True):
            tally.stored.update(minutes[start : start + count])
            tally.event_rows += count
            start += count
        return columns


def _relabel(batch: _Batch, columns: Columns, stored: StoredLookup) -> None:
    """Carry out re-labels in order; their rows go to the end of the columns."""
    if not batch.relabels:
        return
    live = _live(batch, columns, stored)
    index_after = {number: _first_free_index(batch.records[number]) for number, _ in batch.relabels}
    added: list[StoredRow] = []
    for number, row in batch.relabels:
        record, tally = batch.records[number], batch.tallies[number]
        place = Place(record.header.topic_id, bounded(row.source_offset), index_after[number])
        index_after[number] += 2
        pair = relabel(row, Origin(place, record.partition, record.log_time_ms), live)
        if isinstance(pair, Invalid):
            tally.relabel_refused += 1
            batch.reject(number, refuse.from_loader(record, row, pair.reason, pair.detail))
            continue
        added += pair
        tally.relabelled += 1
        tally.event_rows += 2
    append_rows(columns, added)


def _live(batch: _Batch, columns: Columns, stored: StoredLookup) -> dict[Target, StoredRow]:
    """The newest row of every target: of `events`, or of this batch where it is not there yet."""
    targets = {target for _, row in batch.relabels if (target := target_of(row)) is not None}
    live = dict(stored.rows(targets))
    for number, event_id in enumerate(columns["event_id"]):
        target = Target(columns["delivery_id"][number], event_id)
        if target in targets and target not in live:
            live[target] = row_at(columns, number)
    return live


def _first_free_index(record: LoadedRecord) -> int:
    """The index after the record's lines, where the rows of its re-labels begin."""
    indexes = [row.number if isinstance(row, BadLine) else row.source_index for row in record.rows]
    return 1 + max(indexes, default=-1)


def _blocks(batch: _Batch, columns: Columns) -> Blocks:
    tallies = batch.tallies
    return Blocks(
        events=event_block(columns),
        rejects=refuse.reject_block(batch.rejects),
        audit=audit_block(batch.records, tallies),
        stored=sum(tally.stored.total() for tally in tallies),
        late_duplicates=sum(tally.late_duplicate.total() for tally in tallies),
        refused=sum(tally.refused.total() for tally in tallies),
        relabelled=sum(tally.relabelled for tally in tallies),
        relabels_refused=sum(tally.relabel_refused for tally in tallies),
    )


def _minutes(ids: Sequence[bytes]) -> list[int]:
    """The minute in each event id: its first 48 bits are milliseconds."""
    words = array("Q", b"".join(ids))
    words.byteswap()
    return [(word >> 16) // 60_000 for word in words[::2]]


def _minute(event_id: str, record: LoadedRecord) -> int:
    """The minute a line counts in: of its id, or of the record where the id has none."""
    try:
        return minute_of(int.from_bytes(bytes.fromhex(event_id)[:6], "big"))
    except ValueError:
        return minute_of(record.log_time_ms)
