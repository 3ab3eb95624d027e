"""A record of tracking.enriched: a public contract (FORMATS, Enriched record)."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sendtrail.errors import Invalid
from sendtrail.events import Class, Event
from sendtrail.packs import Headers, PackHeader, Totals, by_name, decimal, headers_of, read_headers, read_totals

Mark = Literal["late", "flood", "foreign", "expired"]
Natural = Annotated[int, Meta(ge=0)]
MAX_RELABELS = 1_000


class EventRow(Event, omit_defaults=True, kw_only=True, tag_field="row", tag="event", gc=False):
    """An event as enriched: the event's own fields, its place in the source, and what streams found out.

    `person`: 128-bit number (32 hex digits) of who acted. Context (labels … type) is as of processing.
    """

    source_offset: Natural = msgspec.field(name="so")
    source_index: Natural = msgspec.field(name="si")
    class_: Class = msgspec.field(default="unknown", name="class")
    class_reasons: list[str] = msgspec.field(default_factory=list, name="reasons")
    class_ruleset: str = msgspec.field(default="", name="ruleset")
    repeat: bool = False
    marks: list[Mark] = msgspec.field(default_factory=list)
    client: str = ""
    client_version: str = ""
    os: str = ""
    device: str = ""
    network: str = ""
    country: str = ""
    person: str = ""
    delivery_label: str = msgspec.field(default="", name="label")
    url_label: str = ""
    campaign: str = ""
    category: str = ""
    type: str = ""


class RelabelRow(Event, omit_defaults=True, kw_only=True, tag_field="row", tag="relabel", gc=False):
    """A correction of an earlier event's class: target, new class, new repeat mark, reasons, ruleset, run."""

    source_offset: Natural = msgspec.field(name="so")
    source_index: Natural = msgspec.field(name="si")


class RejectRow(msgspec.Struct, omit_defaults=True, kw_only=True, tag_field="row", tag="reject", gc=False):
    """What could not be an event: original bytes (base64 on the wire), reason, key for a replay, time of the record."""

    source_offset: Natural = msgspec.field(name="so")
    source_index: Natural = msgspec.field(name="si")
    key: str
    reason: str
    detail: str = ""
    original: bytes = b""
    time_ms: Natural = 0
    count: Natural = 1  # events this row stands for: a whole bad pack counts as its header says


Row = EventRow | RelabelRow | RejectRow

_decoder = msgspec.json.Decoder(Row)
_encoder = msgspec.json.Encoder()


class MinuteCounts(msgspec.Struct, omit_defaults=True):
    """What became of the events of one minute. in = out + duplicate + resent + rejected; relabels apart."""

    events_in: int = msgspec.field(default=0, name="in")
    out: int = 0
    duplicate: int = 0
    resent: int = 0
    rejected: int = 0
    relabels: int = 0


Counts = dict[str, MinuteCounts]  # by epoch minute in decimal


class EnrichedHeader(msgspec.Struct, frozen=True):
    """The source interval a record covers, `[source_from, source_offset]`, and its counts.

    `pack` and `totals` are those of the source record, copied so that the audit needs only ClickHouse.
    """

    topic_id: str
    source_from: int
    source_offset: int
    counts: Counts
    pack: PackHeader | None = None
    totals: Totals | None = None


def encode_row(row: Row) -> bytes:
    """One line of an enriched record."""
    return _encoder.encode(row)


def decode_row(line: bytes) -> Row | Invalid:
    """One line back; never raises."""
    try:
        row: Row | Invalid = _decoder.decode(line)
        return row
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Invalid("bad_field" if isinstance(error, msgspec.ValidationError) else "undecodable", str(error))


def decode_rows(value: bytes) -> list[Row] | Invalid:
    """All lines of a record at once, a fifth cheaper than one by one; Invalid as soon as one is: ask each then."""
    try:
        return _decoder.decode_lines(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Invalid("undecodable", str(error))


def enriched_headers(header: EnrichedHeader) -> list[tuple[str, bytes]]:
    """Kafka headers, ASCII; those of the source pack follow where it had sound ones."""
    own = [
        ("src_topic_id", header.topic_id.encode()),
        ("src_from", str(header.source_from).encode()),
        ("src_offset", str(header.source_offset).encode()),
        ("counts", _encoder.encode(header.counts)),
    ]
    return own + (headers_of(header.pack, header.totals) if header.pack else [])


def read_enriched_headers(headers: Headers) -> EnrichedHeader | Invalid:
    """The header of an enriched record; never raises."""
    named = by_name(headers)
    try:
        topic_id = named["src_topic_id"].decode("ascii")
        source_from, source_offset = decimal(named["src_from"]), decimal(named["src_offset"])
        counts = msgspec.json.decode(named["counts"], type=Counts)
    except (KeyError, ValueError, msgspec.DecodeError, RecursionError) as error:
        return Invalid("bad_headers", f"enriched headers missing or malformed: {error}")
    pack = read_headers(headers)
    return EnrichedHeader(
        topic_id, source_from, source_offset, counts,
        pack if isinstance(pack, PackHeader) else None, read_totals(headers),
    )  # fmt: skip
