"""Kafka and ClickHouse on paper, for loaders that are stopped at any point: one log, one group, one set of tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kafka.errors import KafkaError

from sendtrail.enriched import EnrichedHeader, EventRow, MinuteCounts, encode_row, enriched_headers
from sendtrail.events import VERSION
from sendtrail.packs import join, minute_of
from sinks.chain import Position
from sinks.consume import NotOwner
from sinks.places import column
from sinks.plan import Commit, CommitMetadata, Range, token
from sinks.resume import Facts
from sinks.worker import Order, Outcome, State

TOPIC = "4f1c2a3e-0000-4000-8000-000000000001"
ANEW = "4f1c2a3e-0000-4000-8000-000000000002"
LOG_ID = "4f1c2a3e-0000-4000-8000-00000000000a"
NOW_MS = 1_790_000_000_000

Place = tuple[str, int, int]  # topic id, partition, source offset


class Record(NamedTuple):
    """A record of tracking.enriched as kafka-python gives it."""

    offset: int
    headers: list[tuple[str, bytes]]
    value: bytes
    timestamp: int


def record(offset: int, topic_id: str, partition: int, first: int, last: int) -> Record:
    """It covers source offsets `first..last`, with an open of each. What an event is depends on its place only."""
    rows = [_row(partition, source, index) for index, source in enumerate(range(first, last + 1))]
    counts = {str(minute_of(NOW_MS)): MinuteCounts(len(rows), len(rows))}
    header = EnrichedHeader(topic_id, first, last, counts)
    return Record(offset, enriched_headers(header), join(map(encode_row, rows)), NOW_MS)


def _row(partition: int, source: int, index: int) -> EventRow:
    return EventRow(
        version=VERSION, event_id=f"{NOW_MS:012x}{partition:010x}{source:010x}", kind="open", event_time_ms=NOW_MS,
        delivery=1, message=source, source="edge", source_offset=source, source_index=index, class_="human",
    )  # fmt: skip


@dataclass
class Group:
    """The log and the loaders' group: members, who owns what, commits."""

    partitions: int
    log: dict[int, list[Record]] = field(default_factory=dict)
    commits: dict[int, Commit] = field(default_factory=dict)
    owners: dict[int, str] = field(default_factory=dict)
    assignments: Counter[str] = field(default_factory=Counter)
    failing: list[str] = field(default_factory=list)  # what becomes of the next commits: "" | before | after

    def __post_init__(self) -> None:
        self.log = {number: [] for number in range(self.partitions)}

    def assign(self, owners: Mapping[int, str]) -> None:
        """A rebalance: every member that had or has something is told."""
        for member in {*self.owners.values(), *owners.values()}:
            self.assignments[member] += 1
        self.owners = dict(owners)

    def append(self, partition: int, topic_id: str, first: int, last: int) -> None:
        log = self.log[partition]
        log.append(record(len(log), topic_id, partition, first, last))

    def append_foreign(self, partition: int) -> None:
        log = self.log[partition]
        log.append(Record(len(log), [], b"of another tool", NOW_MS))

    def read_ranges(self, _kafka: object, ranges: Mapping[int, Range]) -> dict[int, list[Record]]:
        return {number: self.log[number][first:end] for number, (first, end) in ranges.items()}


class GroupSource:
    """A member's side of the group, as sinks.consume.Source has it."""

    def __init__(self, group: Group, member: str) -> None:
        self._group, self._member = group, member
        self._positions: dict[int, int] = {}
        self._closed: Collection[int] = ()
        self._seen = -1

    @property
    def assignment(self) -> int:
        return self._group.assignments[self._member]

    def log_id(self) -> str:
        return LOG_ID

    def assigned(self) -> set[int]:
        return {number for number, member in self._group.owners.items() if member == self._member}

    def poll(self, timeout_ms: int, max_records: int) -> dict[int, list[Record]]:
        if self._seen != self.assignment:
            self._seen = self.assignment
            self._positions = {number: self._begin(number) for number in self.assigned()}
        found: dict[int, list[Record]] = {}
        for number in sorted(self.assigned() - set(self._closed)):
            at = self._positions[number]
            if records := self._group.log[number][at : at + 3]:
                found[number] = records
                self._positions[number] = at + len(records)
        return found

    def _begin(self, number: int) -> int:
        commit = self._group.commits.get(number)
        return commit.offset if commit else 0

    def committed(self, partition: int) -> Commit | None:
        return self._group.commits.get(partition)

    def commit(self, commits: Mapping[int, tuple[int, CommitMetadata]], assignment: int) -> None:
        if assignment != self.assignment or not commits.keys() <= self.assigned():
            raise NotOwner("rebalanced")
        how = self._group.failing.pop(0) if self._group.failing else ""
        if how != "before":
            self._group.commits |= {n: Commit(offset, metadata) for n, (offset, metadata) in commits.items()}
        if how:
            raise KafkaError("no answer")

    def beginning(self, partition: int) -> int:
        return 0

    def seek(self, partition: int, offset: int) -> None:
        self._positions[partition] = offset

    def flow(self, closed: Collection[int]) -> None:
        self._closed = closed

    def lag(self, partition: int, position: int) -> int | None:
        return None


@dataclass
class Tables:
    """`events` and `audit` by source place, and the tokens each table knows."""

    events: Counter[Place] = field(default_factory=Counter)
    audit: list[Place] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def insert(self, order: Order, table: str) -> None:
        block = {"events": order.blocks.events, "audit": order.blocks.audit}[table]
        known = token(table, order.plan)
        if not block.rows or known in self.tokens:
            return
        self.tokens.add(known)
        places = zip(column(block, "src_partition"), column(block, "src_offset"), strict=True)
        found = [(order.plan.topic_id, partition, offset) for partition, offset in places]
        if table == "events":
            self.events.update(found)
        else:
            self.audit += found

    def positions(self, partitions: Collection[int]) -> dict[int, list[Position]]:
        found: dict[int, dict[str, int]] = {number: {} for number in partitions}
        for topic_id, number, offset in self.audit:
            if number in found:
                found[number][topic_id] = max(offset, found[number].pop(topic_id, -1))
        return {number: [Position(*item) for item in lasts.items()] for number, lasts in found.items()}


class TablesServer:
    """The first thread's client, as sinks.server.Server has it."""

    lookup: Any = None
    held_by: tuple[str, ...] = ()

    def __init__(self, tables: Tables) -> None:
        self.positions = tables.positions

    def facts(self) -> Facts:
        return Facts(1, 1, 1)

    def may_insert(self) -> bool:
        return True

    def say_present(self) -> None:
        """Nobody asks."""

    answer_tools = unsure = say_present


class Pending:
    """The second thread, as sinks.worker.Worker has it: an order is carried out step by step, when it is told so."""

    TABLES = ("events", "audit")

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.trouble = ""
        self.order: Order | None = None
        self.begun = 0
        self._outcome: Future[Outcome] = Future()

    def submit(self, order: Order) -> Future[Outcome]:
        self.order, self.begun, self._outcome = order, 0, Future()
        return self._outcome

    def step(self) -> None:
        """Insert into the next table; after the last the order is done. A cancelled order ends instead."""
        if self.order is None:
            return
        if self.order.course.cancel.is_set():
            self._end(State.CANCELLED)
            return
        self._tables.insert(self.order, self.TABLES[self.begun])
        self.begun += 1
        if self.begun == len(self.TABLES):
            self._end(State.DONE)

    def too_late(self) -> None:
        """What was not begun in time is not begun at all; a redo may begin at any time."""
        if self.order is not None and not self.begun and not self.order.redo:
            self._end(State.LATE)

    def _end(self, state: State) -> None:
        self.order = None
        self._outcome.set_result(Outcome(state))
