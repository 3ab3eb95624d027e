"""Rows of `rejects`: those that streams wrote, and those that the loader has to add."""

from collections.abc import Sequence
from typing import Any

from sendtrail.enriched import EventRow, RejectRow, RelabelRow
from sendtrail.events import Event, encode
from sendtrail.ids import reject_key
from sinks.blocks import BadLine, Block, LoadedRecord
from sinks.columns import MAX_TIME_MS, MAX_UINT32
from sinks.tally import bounded
from sinks.transpose import block_of

STREAMS, LOADER = 1, 2  # Enum8 of `rejects.stage`
_ALWAYS = frozenset({"src_topic", "src_partition", "src_offset", "src_index", "stage", "reason", "log_time"})
_EVENT_FIELDS = Event.__struct_fields__

RejectColumns = dict[str, Any]


def from_streams(record: LoadedRecord, row: RejectRow) -> RejectColumns:
    """A reject as it came."""
    return {
        **_where(record, row.source_offset, row.source_index),
        "stage": STREAMS,
        "reject_key": row.key,
        "reason": row.reason,
        "detail": row.detail,
        "original": row.original,
        "record_time": bounded(row.time_ms, MAX_TIME_MS),
        "count": bounded(row.count, MAX_UINT32),
    }


def from_loader(record: LoadedRecord, row: EventRow | RelabelRow, reason: str, detail: str) -> RejectColumns:
    """A row that can't be stored. Its original bytes are the event as a line of its own, ready for a replay."""
    event = Event(**{name: value for name in _EVENT_FIELDS if (value := getattr(row, name)) != ()})
    return _own(record, row.source_offset, row.source_index, reason, detail, encode(event))


def from_line(record: LoadedRecord, line: BadLine) -> RejectColumns:
    """A line of the enriched record that is no row."""
    return _own(record, record.header.source_offset, line.number, "bad_field", line.detail, line.line)


def reject_block(rows: Sequence[RejectColumns]) -> Block:
    """The insert into `rejects`."""
    columns = {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
    return block_of("rejects", columns, _ALWAYS)


def _own(record: LoadedRecord, offset: int, index: int, reason: str, detail: str, original: bytes) -> RejectColumns:
    time_ms = bounded(record.log_time_ms, MAX_TIME_MS)
    return {
        **_where(record, offset, index),
        "stage": LOADER,
        "reject_key": reject_key(time_ms, record.header.topic_id, record.partition, offset, index),
        "reason": reason,
        "detail": detail,
        "original": original,
        "record_time": time_ms,
        "count": 1,
    }


def _where(record: LoadedRecord, offset: int, index: int) -> RejectColumns:
    return {
        "src_topic": record.header.topic_id,
        "src_partition": record.partition,
        "src_offset": bounded(offset),
        "src_index": bounded(index, MAX_UINT32),
        "log_time": bounded(record.log_time_ms, MAX_TIME_MS),
    }
