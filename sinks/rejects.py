"""Rows of `rejects`, as people look for them."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from clickhouse_driver import Client

from sinks.queries import query


class Sought(NamedTuple):
    """Which rejects: by key, by reason, by record time in UTC milliseconds (`until` not in it). Empty = any."""

    keys: Sequence[str] = ()
    reasons: Sequence[str] = ()
    since_ms: int = 0
    until_ms: int = 1 << 62

    def parameters(self) -> dict[str, object]:
        """As the queries take it."""
        lists = {"keys": list(self.keys), "reasons": list(self.reasons)}
        return lists | {"since_ms": self.since_ms, "until_ms": self.until_ms}


class RejectedRow(NamedTuple):
    """One row. `events`: how many it stands for."""

    key: str
    record_time: datetime
    stage: str
    reason: str
    detail: str
    events: int
    original: bytes
    place: str


def reasons(client: Client, sought: Sought) -> dict[str, tuple[int, int]]:
    """Reason -> rows and events."""
    found = client.execute(query("rejects_by_reason"), sought.parameters())
    return {reason: (rows, events) for reason, rows, events in found}


def rows(client: Client, sought: Sought, limit: int = 0) -> Iterator[RejectedRow]:
    """The rows, newest first; `limit` 0 = all, as they come."""
    found = client.execute_iter(
        query("rejects_rows"), sought.parameters() | {"limit": limit}, settings={"strings_as_bytes": True}
    )
    for key, record_time, stage, reason, detail, events, original, place in found:
        yield RejectedRow(
            key.decode(), record_time, stage, reason.decode(), detail.decode("utf-8", "replace"), events, original,
            place.decode(),
        )  # fmt: skip
