"""Enriched records -> rows of `audit`: where each came from, and what became of its events by minute."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sendtrail.packs import PackHeader
from sinks.blocks import Block, LoadedRecord
from sinks.columns import MAX_TIME_MS, MAX_UINT32, MAX_UINT64
from sinks.transpose import block_of

_COUNTS = {
    "events_in": "events_in",
    "out": "out",
    "duplicate": "duplicate",
    "resent": "resent",
    "rejected": "rejected",
    "relabels": "relabels",
}
_NO_PACK = PackHeader("", 0, 0, 0, 0)
_ALWAYS = frozenset({"src_topic", "src_partition", "src_from", "src_offset", "enriched_offset", "log_time"})


@dataclass
class Tally:
    """What became of one record's lines here; the three counters are by epoch minute of the event ids."""

    stored: Counter[int] = field(default_factory=Counter)
    late_duplicate: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    event_rows: int = 0
    reject_rows: int = 0
    relabelled: int = 0
    relabel_refused: int = 0


def audit_block(records: Sequence[LoadedRecord], tallies: Sequence[Tally]) -> Block:
    """The insert into `audit`: one row per record."""
    rows = [_row(record, tally) for record, tally in zip(records, tallies, strict=True)]
    columns = {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
    return block_of("audit", columns, _ALWAYS)


def bounded(value: int, limit: int = MAX_UINT64) -> int:
    """The value, or the nearest that the column takes: numbers of headers are not proved by anybody before."""
    return min(max(value, 0), limit)


def _row(record: LoadedRecord, tally: Tally) -> dict[str, Any]:
    header, pack = record.header, record.header.pack or _NO_PACK
    return {
        "src_topic": header.topic_id,
        "src_partition": record.partition,
        "src_from": bounded(header.source_from),
        "src_offset": bounded(header.source_offset),
        "enriched_offset": bounded(record.offset),
        "log_time": bounded(record.log_time_ms, MAX_TIME_MS),
        "spool": pack.spool,
        "segment": bounded(pack.segment),
        "first_index": bounded(pack.first),
        "last_index": bounded(pack.last),
        "pack_events": bounded(pack.events),
        "totals": msgspec.json.encode(header.totals).decode() if header.totals else "",
        **_by_minute(record, tally),
        "event_rows": bounded(tally.event_rows, MAX_UINT32),
        "reject_rows": bounded(tally.reject_rows, MAX_UINT32),
        "relabelled": bounded(tally.relabelled, MAX_UINT32),
        "relabel_refused": bounded(tally.relabel_refused, MAX_UINT32),
    }


def _by_minute(record: LoadedRecord, tally: Tally) -> dict[str, list[int]]:
    """Arrays that run parallel, in order of the minutes that anything counts in."""
    counted = {_minute(text): counts for text, counts in record.header.counts.items()}
    own: Mapping[str, Counter[int]] = {
        "stored": tally.stored,
        "late_duplicate": tally.late_duplicate,
        "refused": tally.refused,
    }
    minutes = sorted(counted.keys() | tally.stored.keys() | tally.late_duplicate.keys() | tally.refused.keys())
    arrays = {"minute": minutes}
    for column, name in _COUNTS.items():
        arrays[column] = [bounded(getattr(counted[m], name)) if m in counted else 0 for m in minutes]
    for column, counter in own.items():
        arrays[column] = [counter[minute] for minute in minutes]
    return arrays


def _minute(text: str) -> int:
    """The minute a header's key names; keys that name none are gathered under 0."""
    return bounded(int(text)) if text.isascii() and text.isdigit() and len(text) <= 20 else 0
