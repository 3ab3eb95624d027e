"""Enriched rows and records for tests of the tables, and what they would be in `events` if ClickHouse were a list."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from clickhouse_driver import Client

from sendtrail.enriched import EnrichedHeader, EventRow, MinuteCounts, RejectRow, RelabelRow
from sendtrail.ids import hit_id, id_time_ms, is_event_id
from sendtrail.packs import minute_of
from sinks.blocks import BadLine, Block, Blocks, LoadedRecord, Place, StoredRow, Target
from sinks.columns import EVENT_COLUMNS
from sinks.relabels import place_of
from sinks.rows import build
from sinks.write import insert

TOPIC = "5d1a3f0e-0000-4000-8000-000000000001"
NOW_MS = 1_790_000_000_000  # 2026-09-21T14:13:20Z
AnyRow = EventRow | RelabelRow | RejectRow | BadLine


def event(event_id: str | None = None, **fields: Any) -> EventRow:
    """An event line, a human's open of message 3 in delivery 7 unless told otherwise; its id carries its time."""
    time_ms = fields.setdefault("event_time_ms", NOW_MS)
    defaults: dict[str, Any] = {
        "version": 1, "kind": "open", "delivery": 7, "message": 3, "source": "edge", "class_": "human",
        "source_offset": 0, "source_index": 0,
    }  # fmt: skip
    return EventRow(event_id=event_id or hit_id(time_ms), **(defaults | fields))


def relabel(target: EventRow, new_class: str = "machine", **fields: Any) -> RelabelRow:
    """A re-label of an event."""
    defaults: dict[str, Any] = {
        "version": 1, "event_id": hit_id(NOW_MS), "kind": "relabel", "event_time_ms": NOW_MS,
        "delivery": target.delivery, "message": target.message, "target_id": target.event_id, "new_class": new_class,
        "source_offset": 0, "source_index": 0,
    }  # fmt: skip
    return RelabelRow(**(defaults | fields))


def record(
    offset: int, rows: Sequence[AnyRow], partition: int = 0, topic_id: str = TOPIC, **header: Any
) -> LoadedRecord:
    """An enriched record of one source record; its rows take the place they have in it, counts fit."""
    for index, row in enumerate(rows):
        if not isinstance(row, BadLine):
            row.source_offset, row.source_index = offset, index
    return as_given(offset, rows, partition, topic_id, **header)


def as_given(
    offset: int, rows: Sequence[AnyRow], partition: int = 0, topic_id: str = TOPIC, **header: Any
) -> LoadedRecord:
    """The same, rows left as they are."""
    header.setdefault("counts", counts_of(rows))
    return LoadedRecord(partition, offset, EnrichedHeader(topic_id, offset, offset, **header), rows, NOW_MS + offset)


def counts_of(rows: Iterable[AnyRow]) -> dict[str, MinuteCounts]:
    """What the worker's header would say."""
    counts: dict[str, MinuteCounts] = {}
    for row in rows:
        if isinstance(row, EventRow) and is_event_id(row.event_id):
            minute = counts.setdefault(str(minute_of(id_time_ms(row.event_id))), MinuteCounts())
            minute.events_in += 1
            minute.out += 1
    return counts


class ListLookup:
    """StoredLookup over blocks kept in a list. `merge` does what ClickHouse may do at any time."""

    def __init__(self) -> None:
        self.stored: list[StoredRow] = []

    def insert(self, block: Block) -> None:
        """Keep a block of `events`."""
        self.stored += rows_of(block)

    def merge(self) -> None:
        """Take away every pair of one event and rev with opposite signs."""
        left: dict[tuple[Any, ...], list[StoredRow]] = {}
        for row in self.stored:
            others = left.setdefault((row["delivery_id"], row["event_id"], row["rev"]), [])
            if others and others[-1]["sign"] == -row["sign"]:
                others.pop()
            else:
                others.append(row)
        self.stored = [row for rows in left.values() for row in rows]

    def rows(self, targets: Collection[Target]) -> Mapping[Target, StoredRow]:
        """The newest +1 row of each target."""
        found: dict[Target, StoredRow] = {}
        for row in sorted(self.stored, key=lambda row: row["rev"]):
            target = Target(row["delivery_id"], row["event_id"])
            if row["sign"] == 1 and target in targets:
                found[target] = row
        return found

    def first_places(self, targets: Collection[Target]) -> Mapping[Target, Place]:
        """First seen, from history."""
        newest = self.rows(targets)
        return {
            target: Place(*row["history"][0][:3]) if row["history"] else place_of(row) for target, row in newest.items()
        }


_TEXTS = (
    "account", "source", "reasons", "ruleset", "run", "destination", "user_agent", "address", "referrer",
    "provider_event_id", "client", "client_version", "os", "device", "network", "country", "delivery_name",
    "message_name", "recipient_name", "domain", "format", "reason", "diagnostic", "site", "order_id", "currency",
    "page", "src_topic",
)  # fmt: skip
_OTHERS: dict[str, Any] = {
    "recipient_key": None, "history": [], "hints": [], "provider_hints": [], "attributes": {},
}  # fmt: skip
#: What a column is where a block leaves it out.
DEFAULTS: dict[str, Any] = dict.fromkeys(EVENT_COLUMNS, 0) | dict.fromkeys(_TEXTS, "") | _OTHERS


def rows_of(block: Block) -> list[dict[str, Any]]:
    """The rows of a block of `events`, with every column, values as they go over the wire."""
    sent = [dict(zip(block.columns, values, strict=True)) for values in zip(*block.data, strict=True)]
    return [normal({**DEFAULTS, **row}) for row in sent]


def normal(row: Mapping[str, Any]) -> dict[str, Any]:
    """Tuples as lists and booleans as numbers, so that rows compare whatever they went through."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, bool) else value


def load(client: Client, records: Sequence[LoadedRecord], lookup: Any, token: str, times: int = 1) -> Blocks:
    """Build and insert a plan's blocks as the loader does, `times` times with the same tokens."""
    blocks = build(records, lookup)
    for _ in range(times):
        for block in blocks[:3]:
            if block.rows:
                insert(client, block, f"{block.table}-{token}")
    return blocks
