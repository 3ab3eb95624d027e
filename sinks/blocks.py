"""What the loader hands to the row mapping, and what it gets: one block per table, by columns."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from sendtrail.enriched import EnrichedHeader, Row

#: How rows become columns. An intent stores it, and a redo maps as its intent says (DESIGN §7).
MAPPING_VERSION = 1


class BadLine(NamedTuple):
    """A line of an enriched record that is no row: its bytes, its number among the record's lines from 0, and why."""

    line: bytes
    number: int
    detail: str


class LoadedRecord(NamedTuple):
    """One accepted record of tracking.enriched: its partition, its own offset, and what is in it.

    `rows`: in the record's order, without those that are loaded already (partial overlap); gone through more than once.
    `log_time_ms`: Kafka's time of the record, UTC milliseconds.
    """

    partition: int
    offset: int
    header: EnrichedHeader
    rows: Iterable[Row | BadLine]
    log_time_ms: int


class Block(NamedTuple):
    """One insert: `data` has one list per column. Columns that hold only defaults are left out."""

    table: str
    columns: tuple[str, ...]
    data: list[list[Any]]
    rows: int

    @property
    def statement(self) -> str:
        """For `client.execute(block.statement, block.data, columnar=True)`, the database being the client's."""
        return f"INSERT INTO {self.table} ({', '.join(self.columns)}) VALUES"


class Blocks(NamedTuple):
    """The inserts of one plan, in this order. A block of no rows is not sent."""

    events: Block
    rejects: Block
    audit: Block
    stored: int  # event lines that became rows
    late_duplicates: int  # event lines that were stored before (below the id window)
    refused: int  # event lines that became rejects here
    relabelled: int  # re-labels carried out, two rows each
    relabels_refused: int


class Target(NamedTuple):
    """An event as it is looked up: the primary key of `events`."""

    delivery_id: int
    event_id: bytes


class Place(NamedTuple):
    """Where a row came from in its source partition: source offset, and index there."""

    topic_id: str
    offset: int
    number: int

    def is_below(self, other: "Place") -> bool:
        """True if it was written before: what an earlier source topic left is always before."""
        return self.topic_id != other.topic_id or self[1:] < other[1:]


#: The live row of an event, column name -> value as it goes over the wire (times as milliseconds, enums as numbers).
StoredRow = dict[str, Any]


class StoredLookup(Protocol):
    """What is in `events`; sinks/stored.py asks ClickHouse."""

    def rows(self, targets: Collection[Target]) -> Mapping[Target, StoredRow]:
        """The live row of each target that is stored."""

    def first_places(self, targets: Collection[Target]) -> Mapping[Target, Place]:
        """Where each target that is stored was first seen, whatever became of it by re-labels."""
