"""What walks through the steps: records, their events, and what is found out about each."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

from sendtrail.enriched import Mark
from sendtrail.events import Class, Event
from sendtrail.packs import Headers, PackHeader, Totals
from streams.consents import ConsentBook
from streams.deliveries import DeliveryBook
from streams.geo import GeoDatabase
from streams.rules import Rules
from streams.state.overlay import Overlay

Outcome = Literal["", "duplicate", "resent", "rejected", "relabel"]

MAX_DETAIL = 500

#: Stands where no event was decoded; no step but `validate` sees it.
NO_EVENT = Event(version=0, event_id="0" * 32, kind="open", event_time_ms=0)


class SourceRecord(NamedTuple):
    """A record of tracking.events as read. `time_ms`: its log time, the only clock of the steps."""

    offset: int
    time_ms: int
    value: bytes
    headers: Headers


class Covering(NamedTuple):
    """A source record and the first offset its enriched record answers for: gaps in the log are covered by the next."""

    record: SourceRecord
    source_from: int


class Origin(msgspec.Struct, gc=False):
    """Where an event comes from. `mark`: place in the spool (segment, index) of the last event seen before its pack.

    `relabels`: what the record's events correct of earlier ones.
    """

    offset: int
    time_ms: int
    segment: int = 0
    mark: tuple[int, int] = (-1, -1)
    relabels: list[Event] = []


class Findings(msgspec.Struct, omit_defaults=True, kw_only=True, tag_field="row", tag="event", gc=False):
    """What is added to an event: the fields of an EventRow that an Event has not."""

    source_offset: int = msgspec.field(name="so")
    source_index: int = msgspec.field(name="si")
    class_: Class = msgspec.field(default="unknown", name="class")
    class_reasons: tuple[str, ...] = msgspec.field(default=(), name="reasons")
    class_ruleset: str = msgspec.field(default="", name="ruleset")
    repeat: bool = False
    marks: tuple[Mark, ...] = ()
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


class Item(msgspec.Struct, gc=False):
    """One line of a pack on its way. `id_time_ms` tells the minute it counts in: of the record until it is decoded.

    `place`: its place in the log (keys.places).
    """

    line: bytes
    origin: Origin
    id_time_ms: int
    found: Findings
    event: Event
    place: bytes
    outcome: Outcome = ""
    reason: str = ""
    detail: str = ""

    def reject(self, reason: str, detail: str) -> None:
        """End here: a row of rejects instead of a row of events."""
        self.outcome, self.reason, self.detail = "rejected", reason, detail[:MAX_DETAIL]


class Refusal(NamedTuple):
    """A record refused as a whole: one reject that stands for `events` of them."""

    reason: str
    detail: str
    events: int


class Record(msgspec.Struct):
    """One source record, the interval of offsets it covers, its events, and the re-labels that leave with it."""

    source: SourceRecord
    source_from: int
    origin: Origin
    items: list[Item]
    pack: PackHeader | None = None
    totals: Totals | None = None
    refusal: Refusal | None = None
    relabels: list[Event] = []


class RejectLimit(NamedTuple):
    """More than `ratio` of a partition's events of so many minutes of log time, and at least `events`, are too many."""

    ratio: float
    events: int
    minutes: int


@dataclass(frozen=True)
class Known:
    """All a step may look at besides its item. `state` is read and written; the rest is fixed for a batch."""

    topic_id: str
    partition: int
    partitions: int
    id_window_ms: int
    open_repeat_ms: int
    visitor_cookies: bool
    rules: Rules
    deliveries: DeliveryBook
    consents: ConsentBook
    state: Overlay
    geo: GeoDatabase | None = None
    reject_limit: RejectLimit | None = None
