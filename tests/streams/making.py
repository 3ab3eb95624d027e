"""Source records and a line of steps over a state in memory, for tests without Kafka."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sendtrail.deliveries import Delivery, DeliveryUrl, key_of
from sendtrail.enriched import EnrichedHeader, EventRow, Row, decode_row, read_enriched_headers
from sendtrail.errors import Invalid
from sendtrail.events import Event, encode
from sendtrail.packs import PackHeader, headers_of, join, split
from streams.app import STEPS
from streams.consents import ConsentBook
from streams.deliveries import DeliveryBook
from streams.items import Covering, Findings, Item, Known, Origin, SourceRecord
from streams.pipeline import Steps, Timing, enrich
from streams.render import Enriched
from streams.rules import load_rules
from streams.state.keys import DAY_MS, places
from streams.state.overlay import Overlay
from streams.worker import Constants

NOW = 1_790_000_000_000
SPOOL = "ab" * 16
TOPIC_ID = "0bac4d8c-b2cb-4b1b-84a3-69f721ad815a"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
)


def hit(number: int = 0, kind: Any = "open", at: int = NOW, **fields: Any) -> Event:
    """A hit whose id is `number` at the time `at`."""
    event_id = f"{at:012x}{number:020x}"
    defaults: dict[str, Any] = {
        "source": "edge", "delivery": 7, "message": 8, "index": number, "user_agent": CHROME, "address": "192.0.2.1",
    }  # fmt: skip
    return Event(version=1, event_id=event_id, kind=kind, event_time_ms=at, **{**defaults, **fields})


def source(
    offset: int, events: Sequence[Event], spool: str = SPOOL, segment: int = 0, time_ms: int = NOW + 1000
) -> SourceRecord:
    """A sound pack of events at an offset."""
    last = max((event.index for event in events), default=0)
    first = min(last + 1 - len(events), *(event.index for event in events)) if events else 0
    header = PackHeader(spool, segment, max(0, first), max(last, len(events) - 1), len(events))
    return SourceRecord(offset, time_ms, join(map(encode, events)), headers_of(header))


def raw_source(offset: int, lines: Sequence[bytes], time_ms: int = NOW + 1000) -> SourceRecord:
    """A pack of lines as they are, under sound headers."""
    header = PackHeader(SPOOL, 0, 0, max(0, len(lines) - 1), len(lines))
    return SourceRecord(offset, time_ms, b"\n".join(lines), headers_of(header))


def book_of(*entries: Delivery | DeliveryUrl) -> DeliveryBook:
    """A registry with these entries."""
    book = DeliveryBook()
    for entry in entries:
        assert book.apply(key_of(entry).encode(), msgspec.json.encode(entry)) is None
    return book


def constants(**changes: Any) -> Constants:
    """One partition, the default windows, no deliveries."""
    books = DeliveryBook(), ConsentBook(1000)
    return Constants(TOPIC_ID, 1, 8 * DAY_MS, 60_000, False, load_rules(), *books)._replace(**changes)


def item_of(event: Event, time_ms: int = NOW + 1000, offset: int = 0, index: int = 0) -> Item:
    """An item as it is after `validate`."""
    found = Findings(source_offset=offset, source_index=index)
    id_time_ms = int(event.event_id[:12], 16)
    place = places(offset, index + 1)[index]
    return Item(encode(event), Origin(offset, time_ms), id_time_ms, found, event, place)


def known_of(state: Overlay | None = None, partition: int = 0, **changes: Any) -> Known:
    """What a step may look at, over an empty state unless one is given."""
    overlay = state or Overlay(lambda keys: [None] * len(keys))
    return constants(**changes).known(partition, overlay)


class Output(msgspec.Struct):
    """An enriched record as a consumer reads it."""

    header: EnrichedHeader
    rows: list[Row]

    def ids(self) -> list[str]:
        """Of the events that came through."""
        return [row.event_id for row in self.rows if isinstance(row, EventRow)]


def read(enriched: Enriched) -> Output:
    """Decode a record as the loader does."""
    header = read_enriched_headers(enriched.headers)
    assert not isinstance(header, Invalid)
    rows = [decode_row(line) for line in split(enriched.value)]
    assert all(not isinstance(row, Invalid) for row in rows), rows
    return Output(header, [row for row in rows if not isinstance(row, Invalid)])


@dataclass
class Line:
    """All steps over a state in memory. `stored` survives a crash; what a batch wrote is lost unless it is kept."""

    constants: Constants = field(default_factory=constants)
    steps: Steps = STEPS
    partition: int = 0
    stored: dict[bytes, bytes] = field(default_factory=dict)

    def feed(self, *sources: SourceRecord, keep: bool = True) -> list[Output]:
        """One batch. `keep=False`: the process died after the outputs and before the state was written."""
        overlay = Overlay(lambda keys: [self.stored.get(key) for key in keys])
        covering = [Covering(record, record.offset) for record in sources]
        known = self.constants.known(self.partition, overlay)
        outputs = [read(record) for record in enrich(covering, known, self.steps, Timing())]
        if keep:
            self.stored.update(overlay.written)
        return outputs

    def rows(self, *events: Event) -> list[EventRow]:
        """The rows that come of these events as one record at offset 0."""
        return [row for row in self.feed(source(0, events))[0].rows if isinstance(row, EventRow)]
