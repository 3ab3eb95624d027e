"""A record of tracking.events -> its lines, or the refusal of the whole record."""

from sendtrail.errors import Invalid
from sendtrail.events import VERSION
from sendtrail.packs import MAX_EVENTS, PackHeader, claimed_events, read_headers, read_totals, split
from streams.items import NO_EVENT, Findings, Item, Origin, Record, Refusal, SourceRecord
from streams.state.keys import places

#: A pack is bounded when it is made (256 KiB and one event more). Far past that, and with more events than a pack may
#: have, a record is refused as a whole: what the steps add to 500 events always fits into an enriched record.
MAX_SOURCE_BYTES = 1024 * 1024


def unpack(source: SourceRecord, source_from: int) -> Record:
    """Never raises: a record without sound pack headers, of another version, count or size, is one reject."""
    record = Record(source, source_from, Origin(source.offset, source.time_ms), [])
    size = len(source.value) + sum(len(name) + len(value or b"") for name, value in source.headers)
    if size > MAX_SOURCE_BYTES:
        return _refuse(record, "too_large", f"{size} bytes, at most {MAX_SOURCE_BYTES} are taken")
    pack = read_headers(source.headers)
    if isinstance(pack, Invalid):
        return _refuse(record, "bad_pack", pack.detail)
    record.pack, record.totals = pack, read_totals(source.headers)
    if pack.version != VERSION:
        return _refuse(record, "bad_version", f"pack version {pack.version}, this release knows {VERSION}")
    lines = split(source.value)
    if len(lines) != pack.events or len(lines) > MAX_EVENTS:
        return _refuse(record, "bad_pack", f"{len(lines)} lines of {MAX_EVENTS} at most, header: {pack.events}")
    _fill(record, pack, lines)
    return record


def _fill(record: Record, pack: PackHeader, lines: list[bytes]) -> None:
    origin, offset, time_ms = record.origin, record.source.offset, record.source.time_ms
    origin.segment = pack.segment
    record.items = [
        Item(line, origin, time_ms, Findings(source_offset=offset, source_index=index), NO_EVENT, place)
        for index, (line, place) in enumerate(zip(lines, places(offset, len(lines)), strict=True))
    ]


def _refuse(record: Record, reason: str, detail: str) -> Record:
    record.refusal = Refusal(reason, detail, claimed_events(record.source.headers))
    return record
