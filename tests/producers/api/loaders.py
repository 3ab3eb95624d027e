"""Loaders as a reader of their tables sees them: a batch's events, then its audit; partitions in any order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from clickhouse_driver import Client

NOW = datetime(2026, 10, 20, 12, tzinfo=UTC)
TOPIC = "0bac4d8c-b2cb-4b1b-84a3-69f721ad815a"
PARTITIONS = 3
#: Kinds that suppress, and such that do not.
SUPPRESS: tuple[dict[str, Any], ...] = (
    {"kind": "optout", "how": "form"}, {"kind": "optout", "how": "one_click"},
    {"kind": "bounced", "reason": "unknown_user"}, {"kind": "bounced", "reason": "invalid_domain"},
    {"kind": "complained"}, {"kind": "unsubscribed"},
)  # fmt: skip
OTHERS: tuple[dict[str, Any], ...] = (
    {"kind": "optout", "how": "view"}, {"kind": "bounced", "reason": "mailbox_full"}, {"kind": "sent"},
    {"kind": "click"}, {"kind": "deferred", "reason": "unknown_user"},
)  # fmt: skip


def insert(client: Client, table: str, rows: list[dict[str, Any]]) -> None:
    """Rows of equal columns, in the statement's own words."""
    if rows:
        columns = list(rows[0])
        values = [tuple(row[name] for name in columns) for row in rows]
        client.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES", values)


def event(event_id: bytes, place: tuple[int, int, int], topic: str = TOPIC, **fields: Any) -> dict[str, Any]:
    """A row of `events`; `place` is partition, source offset and index."""
    row: dict[str, Any] = {
        "delivery_id": 7, "event_id": event_id, "rev": 0, "sign": 1, "kind": "sent", "how": "", "reason": "",
        "event_time": NOW, "message_id": 8, "recipient_key": 9, "account": "", "class": "human", "history": [],
        "delivery_name": "", "message_name": "", "recipient_name": "", "seed": 0, "src_topic": topic,
        "src_partition": place[0], "src_offset": place[1], "src_index": place[2], "log_time": NOW,
    }  # fmt: skip
    return row | fields


def audit(lane: int, end: int, topic: str = TOPIC) -> dict[str, Any]:
    """A row of `audit` that says that a partition is loaded up to `end`."""
    return {"src_topic": topic, "src_partition": lane, "src_from": 0, "src_offset": end, "log_time": NOW}


@dataclass
class Loaders:
    """Writes batches of random events. `step` may stop half way: events are there, their audit is not."""

    client: Client
    random: random.Random
    next_offset: list[int] = field(default_factory=lambda: [0] * PARTITIONS)
    made: list[dict[str, Any]] = field(default_factory=list)
    suppressing: set[str] = field(default_factory=set)

    def steps(self, batches: int) -> Iterator[None]:
        """Batches of some partitions each; a reader may look between any two inserts."""
        for number in range(batches):
            lanes = self.random.sample(range(PARTITIONS), self.random.randint(1, PARTITIONS))
            ranges = {lane: (self.next_offset[lane], self.random.randint(1, 4)) for lane in lanes}
            rows = [row for lane, (first, count) in ranges.items() for row in self._records(lane, first, count)]
            rows += self._relabels(ranges)
            self.random.shuffle(rows)
            half = self.random.randint(0, len(rows))  # a block of several months is several parts
            for part in (rows[:half], rows[half:]):
                insert(self.client, "events", part)
                yield
            insert(self.client, "audit", [audit(lane, first + count) for lane, (first, count) in ranges.items()])
            if number % 4 == 3:
                self.client.execute("OPTIMIZE TABLE events FINAL")
            yield

    def _records(self, lane: int, first: int, count: int) -> list[dict[str, Any]]:
        self.next_offset[lane] = first + count + 1  # one more, for re-labels; the log has gaps anyway
        return [self._event((lane, first + at, n)) for at in range(count) for n in range(self.random.randint(0, 4))]

    def _event(self, place: tuple[int, int, int]) -> dict[str, Any]:
        suppresses = self.random.random() < 0.6
        fields = self.random.choice(SUPPRESS if suppresses else OTHERS)
        event_id = self.random.randbytes(16)
        days = timedelta(days=self.random.randint(0, 60))
        row = event(event_id, place, **fields, event_time=NOW - days, delivery_id=self.random.randint(1, 4))
        self.made.append(row)
        if suppresses:
            self.suppressing.add(event_id.hex())
        return row

    def _relabels(self, ranges: dict[int, tuple[int, int]]) -> list[dict[str, Any]]:
        """Late judgements of earlier hits of these partitions, at the offset behind the batch's records."""
        rows: list[dict[str, Any]] = []
        for at, row in enumerate(self.made):
            lane, known = row["src_partition"], row["kind"] == "optout" and row["src_partition"] in ranges
            if not known or row["src_offset"] >= ranges[lane][0] or self.random.random() > 0.3:
                continue
            first, count = ranges[lane]
            place = {"src_offset": first + count, "src_index": 2 * len(rows)}
            history = [
                *row["history"],
                (row["src_topic"], row["src_offset"], row["src_index"], 1, 1, 0, "", "", ""),
            ]
            self.made[at] = row | place | {"rev": row["rev"] + 1, "history": history, "class": "machine"}
            rows += [row | place | {"sign": -1}, self.made[at] | {"src_index": 2 * len(rows) + 1}]
        return rows
