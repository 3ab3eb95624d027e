"""A record that went through the steps -> the enriched record, its headers, and its rejects."""

from collections import Counter
from typing import NamedTuple

import msgspec

from sendtrail.enriched import Counts, EnrichedHeader, MinuteCounts, RejectRow, encode_row, enriched_headers
from sendtrail.events import Event
from sendtrail.ids import reject_key
from sendtrail.packs import minute_of
from streams.items import Findings, Item, Known, Record

#: Bytes of lines in an enriched record at most. The topic takes 8 MiB; counts and totals stay below the rest.
MAX_VALUE_BYTES = 7 * 1024 * 1024
_MAX_ORIGINAL = 4 * 1024 * 1024  # of a refused record; the whole stays in tracking.events

_COMMA = ord(",")
_encoder = msgspec.json.Encoder()


class RelabelPlace(msgspec.Struct, tag_field="row", tag="relabel", gc=False):
    """What is added to a relabel event."""

    so: int
    si: int


class Reject(NamedTuple):
    """A reject row as it travels, and as it is copied to tracking.rejects under its key."""

    key: str
    reason: str
    events: int
    line: bytes


class Enriched(NamedTuple):
    """One record for tracking.enriched."""

    value: bytes
    headers: list[tuple[str, bytes]]
    counts: Counts
    rejects: list[Reject]


def render(record: Record, known: Known, max_value_bytes: int = MAX_VALUE_BYTES) -> Enriched:
    """Exactly one record, whatever became of its events: lines in the order of the source, dropped ones left out."""
    if record.refusal is not None:
        rejects = [_refused(record, known)]
        value = bytearray(rejects[0].line)
        _add_relabels(value, record)
    else:
        value, rejects = _lines(record, known)
        if len(value) >= max_value_bytes:
            _shrink(record, max_value_bytes)
            value, rejects = _lines(record, known)
    counts = _counts(record)
    header = EnrichedHeader(
        known.topic_id, record.source_from, record.source.offset, counts, record.pack, record.totals
    )
    return Enriched(bytes(value), enriched_headers(header), counts, rejects)


def _lines(record: Record, known: Known) -> tuple[bytearray, list[Reject]]:
    """Lines as a pack joins them."""
    value = bytearray()
    rejects: list[Reject] = []
    for item in record.items:
        if not item.outcome or item.outcome == "relabel":
            _add_event_line(value, item)
        elif item.outcome == "rejected":
            reject = _rejected(item, known)
            rejects.append(reject)
            value += reject.line
        else:
            continue
        value += b"\n"
    del value[-1:]
    _add_relabels(value, record)
    return value, rejects


def _add_relabels(value: bytearray, record: Record) -> None:
    """The worker's own, behind the lines of the source; MAX_RELABELS of them stay far below the room that is left."""
    for number, relabel in enumerate(record.relabels, max(1, len(record.items))):
        if value:
            value += b"\n"
        _add_line(value, relabel, RelabelPlace(so=record.source.offset, si=number))


def _add_event_line(value: bytearray, item: Item) -> None:
    """The event as decoded, so that nothing but its own fields comes through, followed by what was found out."""
    found = item.found
    _add_line(
        value, item.event, found if not item.outcome else RelabelPlace(so=found.source_offset, si=found.source_index)
    )


def _add_line(value: bytearray, event: Event, added: Findings | RelabelPlace) -> None:
    _encoder.encode_into(event, value, -1)
    middle = len(value) - 1
    _encoder.encode_into(added, value, middle)  # its first brace takes the place of the event's last one
    value[middle] = _COMMA


def _shrink(record: Record, max_value_bytes: int) -> None:
    """Turn the events past the limit into rejects. Room is kept for every later one to be a reject."""
    reserved = sum(_reject_bytes(item) for item in record.items)
    size = 0
    for item in record.items:
        reserved -= _reject_bytes(item)
        if item.outcome in ("duplicate", "resent"):
            continue
        if item.outcome != "rejected":
            line = _event_line_bytes(item) + 1
            if size + line + reserved <= max_value_bytes:
                size += line
                continue
            item.reject("too_large", f"with this event the enriched record would exceed {max_value_bytes} bytes")
        size += _reject_bytes(item)


def _event_line_bytes(item: Item) -> int:
    line = bytearray()
    _add_event_line(line, item)
    return len(line)


def _reject_bytes(item: Item) -> int:
    return len(item.line) * 4 // 3 + len(item.detail) * 6 + 512


def _rejected(item: Item, known: Known) -> Reject:
    found, time_ms = item.found, item.origin.time_ms
    key = reject_key(time_ms, known.topic_id, known.partition, found.source_offset, found.source_index)
    row = RejectRow(
        source_offset=found.source_offset, source_index=found.source_index, key=key, reason=item.reason,
        detail=item.detail, original=item.line, time_ms=time_ms,
    )  # fmt: skip
    return Reject(key, item.reason, 1, encode_row(row))


def _refused(record: Record, known: Known) -> Reject:
    reason, detail, events = record.refusal or ("", "", 0)
    source = record.source
    key = reject_key(source.time_ms, known.topic_id, known.partition, source.offset, 0)
    row = RejectRow(
        source_offset=source.offset, source_index=0, key=key, reason=reason, detail=detail,
        original=source.value[:_MAX_ORIGINAL], time_ms=source.time_ms, count=events,
    )  # fmt: skip
    return Reject(key, reason, events, encode_row(row))


def _counts(record: Record) -> Counts:
    """Per minute: in = out + duplicate + resent + rejected; relabels apart, unless they were dropped or rejected."""
    here = minute_of(record.source.time_ms)
    if record.refusal is not None:
        count = record.refusal.events
        return {str(here): MinuteCounts(events_in=count, rejected=count, relabels=len(record.relabels))}
    came_through = Counter([item.id_time_ms // 60_000 for item in record.items if not item.outcome])
    counts = {minute: MinuteCounts(events_in=number, out=number) for minute, number in came_through.items()}
    for item in record.items:
        if item.outcome:
            _count(counts.setdefault(item.id_time_ms // 60_000, MinuteCounts()), item.outcome)
    if record.relabels:
        counts.setdefault(here, MinuteCounts()).relabels += len(record.relabels)
    return {str(minute): counts[minute] for minute in sorted(counts)}


def _count(counts: MinuteCounts, outcome: str) -> None:
    if outcome == "relabel":
        counts.relabels += 1
        return
    counts.events_in += 1
    setattr(counts, outcome, getattr(counts, outcome) + 1)
