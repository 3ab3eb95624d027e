"""A pack: one Kafka record with 1..N events of one partition and one segment (FORMATS, Spool segment and pack)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from sendtrail.errors import Invalid
from sendtrail.events import VERSION
from sendtrail.ids import is_event_id

MAX_EVENTS = 500
MAX_BYTES = 256 * 1024
MAX_WAIT_MS = 100

Headers = Sequence[tuple[str, bytes | None]]  # as read: Kafka allows null values
_MAX_CLAIM = 100_000
PerMinute = dict[int, int]


class PackHeader(NamedTuple):
    """Where a pack's events come from: spool id as 32 hex digits, segment sequence, index range, number of events.

    The range may have holes: the events between went to other partitions.
    """

    spool: str
    segment: int
    first: int
    last: int
    events: int
    version: int = VERSION


class Totals(msgspec.Struct, omit_defaults=True, frozen=True):
    """What a finished segment held: events per partition and minute (epoch minutes), in one or more parts.

    `events`: of the whole segment. `previous`: events of the segment before. `parts`: how many totals packs the
    segment has; each holds a part of `counts`.
    """

    edge: str
    events: int
    previous: int
    counts: dict[str, dict[str, int]]
    part: int = 0
    parts: int = 1


def join(lines: Iterable[bytes]) -> bytes:
    """The value of a pack: lines joined by a newline, none at the end."""
    return b"\n".join(lines)


def split(value: bytes) -> list[bytes]:
    """The lines of a pack's value; a newline at the end makes no empty line."""
    return value[:-1].split(b"\n") if value.endswith(b"\n") else value.split(b"\n") if value else []


def headers_of(header: PackHeader, totals: Totals | None = None) -> list[tuple[str, bytes]]:
    """Kafka headers of a pack, ASCII; `totals` only on a pack without events."""
    fields = [
        ("v", str(header.version)),
        ("spool", header.spool),
        ("seg", str(header.segment)),
        ("first", str(header.first)),
        ("last", str(header.last)),
        ("n", str(header.events)),
    ]
    encoded = [(name, value.encode()) for name, value in fields]
    if totals is not None:
        encoded.append(("totals", msgspec.json.encode(totals)))
    return encoded


def read_headers(headers: Headers) -> PackHeader | Invalid:
    """The pack header of a record, or why there is none (`bad_pack`); never raises, null headers included."""
    named = by_name(headers)
    try:
        numbers = [decimal(named[name]) for name in ("v", "seg", "first", "last", "n")]
        spool = named["spool"].decode("ascii")
        if not is_event_id(spool):
            raise ValueError("a spool id is 32 lower-case hexadecimal digits")
    except (KeyError, ValueError) as error:
        return Invalid("bad_pack", f"pack headers missing or malformed: {error}")
    version, segment, first, last, count = numbers
    if count and last - first + 1 < count:
        return Invalid("bad_pack", f"index range {first}-{last} can't hold {count} events")
    return PackHeader(spool, segment, first, last, count, version)


def read_totals(headers: Headers) -> Totals | None:
    """The totals of a finished segment, where the pack carries sound ones."""
    raw = by_name(headers).get("totals")
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=Totals)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def claimed_events(headers: Headers) -> int:
    """How many events a bad pack counts as: what its header `n` says where that is believable, else 1."""
    try:
        claimed = decimal(by_name(headers)["n"])
    except (KeyError, ValueError):
        return 1
    return claimed if 1 <= claimed <= _MAX_CLAIM else 1


def by_name(headers: Headers) -> dict[str, bytes]:
    """Headers by name, the last of a name winning; null values say nothing."""
    return {name: value for name, value in headers if value is not None}


def decimal(raw: bytes) -> int:
    """A header's number: ASCII digits only. Raises ValueError."""
    if not raw.isdigit() or len(raw) > 19:
        raise ValueError(f"{raw[:20]!r} is not a decimal number")
    return int(raw)


def minute_of(time_ms: int) -> int:
    """Minutes since the epoch."""
    return time_ms // 60_000
