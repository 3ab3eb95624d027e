"""Mutations: rows changed or taken away for good (ALTER TABLE … UPDATE | DELETE), begun here and waited for aside.

A mutation is of the rows there are when it begins, whatever is inserted while it runs. So whoever counts rows before
they go begins it while the loaders hold, and lets them go on at once.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from clickhouse_driver import Client

from sendtrail.errors import SendtrailError
from sendtrail.settings import ClickHouseSettings
from sinks.queries import query

_POLL_S = 0.2
_PATIENCE_S = 600.0
_BRIEF_S = 60.0
#: Replicas carry a mutation out each by itself, so replicated tables refuse the clock and other tables in one unless it
#: is allowed. The clock is read once, where it begins; of two replicas that find another table different, one takes the
#: other's part.
_BEGIN: Mapping[str, Any] = {
    "mutations_sync": 0, "allow_nondeterministic_mutations": 1, "mutations_execute_nondeterministic_on_initiator": 1
}  # fmt: skip

#: Gets the parts of tables still to be written anew, now and then.
Progress = Callable[[int], None]


class MutationError(SendtrailError):
    """A mutation does not get on, or does not end in time."""


def on_cluster(settings: ClickHouseSettings) -> str:
    """What follows a table's name where a statement is for every shard."""
    return f" ON CLUSTER '{settings.cluster}'" if settings.replicated and settings.cluster else ""


def begin(client: Client, settings: ClickHouseSettings, changes: Iterable[tuple[str, str]]) -> None:
    """Begin `ALTER TABLE <table> <change>` for each. Lets the driver's errors through."""
    for table, change in changes:
        client.execute(f"ALTER TABLE {table}{on_cluster(settings)} {change}", settings=_BEGIN)


def wait(client: Client, progress: Progress = lambda parts: None, patience_s: float = _PATIENCE_S) -> None:
    """Wait until no mutation of the database is left.

    Raises MutationError where one fails again and again, or where nothing moves for `patience_s`. Lets the driver's
    errors through.
    """
    moved, before = time.monotonic(), -1
    while True:
        ((left, parts, failure),) = client.execute(query("mutations_left"))
        if not left:
            progress(0)
            return
        progress(parts)
        if parts != before:
            moved, before = time.monotonic(), parts
        if time.monotonic() - moved > patience_s:
            raise MutationError(f"{left} mutations do not end: {failure or 'see system.mutations'}")
        time.sleep(_POLL_S)


def let_end(client: Client) -> None:
    """Before aggregates are compared with events: what is half done differs. One that hangs is not waited for."""
    with suppress(MutationError):
        wait(client, patience_s=_BRIEF_S)


def tables_of_deliveries(client: Client) -> Sequence[str]:
    """Tables whose rows are of deliveries, `events` last: what is repaired from it is gone before."""
    found = [table for (table,) in client.execute(query("tables_of_deliveries"))]
    return sorted(found, key=lambda table: (table == "events", table))
