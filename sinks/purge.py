"""Deleted deliveries whose time is over -> nothing: their rows go from every table, their records from Kafka.

1. Nulls go to tracking.deliveries and tracking.contents for every key of theirs; kept contents are deleted.
2. While the loaders hold, their events are counted by source record (table purged_events: the audit stays even), and
   the mutations begin that take their rows away.
3. When those are done, only the key is left, in `deletions`.

Killed anywhere, the next round does it again and counts the same. Links of a purged delivery go on redirecting. What
such hits, or a replay, bring later is hidden like before and goes with the next round.
"""

import json
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from sendtrail.removal.deletions import Deletion, deletions
from sendtrail.settings import ClickHouseSettings
from sinks import mutations
from sinks.control import PRESENCE_LEASE_S, paused
from sinks.queries import query

#: In one mutation: a statement may be 256 KiB.
AT_ONCE = 500
#: Found by its own key too, and without an index by delivery.
_BY_OTHERS = frozenset({"recipient_activity"})
#: Written every few seconds, whether loaders hold or not.
_CALCULATED = "indicators"


class Gone(NamedTuple):
    """A delivery that is to leave no trace, and its links."""

    deletion: Deletion
    links: tuple[int, ...]


#: Has a delivery's records forgotten outside ClickHouse.
Forget = Callable[[Sequence[Gone]], None]


def due(client: Client, now_ms: int = 0) -> list[int]:
    """Deliveries to purge, the first to be due first. `now_ms`: UTC, 0 = the server's clock."""
    return [delivery for (delivery,) in client.execute(query("purge_due"), {"now_ms": now_ms})]


def come_back(client: Client) -> list[int]:
    """Purged deliveries that have rows again: late hits, or a replay."""
    found: set[int] = set()
    for table in mutations.tables_of_deliveries(client):
        if table not in _BY_OTHERS:
            found.update(delivery for (delivery,) in client.execute(query("purge_keys"), {"table": table}))
    return sorted(found)


def purge(
    client: Client,
    settings: ClickHouseSettings,
    deliveries: Sequence[int],
    forget: Forget,
    progress: mutations.Progress = lambda parts: None,
) -> int:
    """Purge deliveries that are deleted and due, or purged and back; returns how many.

    Raises PauseError if the loaders don't come to rest, MutationError and KafkaError, and lets the driver's errors
    through.
    """
    for start in range(0, len(deliveries), AT_ONCE):
        _purge(client, settings, list(deliveries[start : start + AT_ONCE]), forget, progress)
    return len(deliveries)


def _purge(
    client: Client,
    settings: ClickHouseSettings,
    deliveries: list[int],
    forget: Forget,
    progress: mutations.Progress,
) -> None:
    mutations.wait(client, progress)  # a killed round's: what was counted goes before it is counted again
    gone = _gone(client, deliveries)
    forget(gone)
    with paused(settings, "purge", lease_s=PRESENCE_LEASE_S) as pause:  # a loader that dies at it holds nobody longer
        client.execute(query("purge_count"), {"deliveries": deliveries})
        pause.check()
        mutations.begin(client, settings, _changes(client, gone))
    mutations.wait(client, progress)
    _wait_for_indicators(client)
    mutations.begin(client, settings, [(_CALCULATED, _change(gone))])
    mutations.wait(client, progress)
    client.execute(query("purge_done"), {"deliveries": deliveries})
    client.execute(f"OPTIMIZE TABLE deletions{mutations.on_cluster(settings)} FINAL")  # earlier rows have names


def _wait_for_indicators(client: Client) -> None:
    """A calculation that began while the delivery was there may still write its row."""
    with suppress(ServerException):  # what this says of is the last calculation: it failed, and wrote nothing
        client.execute("SYSTEM WAIT VIEW indicators_refresh")


def _gone(client: Client, deliveries: list[int]) -> list[Gone]:
    links: dict[int, list[int]] = {}
    for delivery, url_id in client.execute(query("purge_links"), {"deliveries": deliveries}):
        links.setdefault(delivery, []).append(url_id)
    return [Gone(one, tuple(sorted(links.get(one.delivery, ())))) for one in deletions(client, deliveries)]


def _changes(client: Client, gone: Sequence[Gone]) -> list[tuple[str, str]]:
    """Table and change. Numbers alone are written into the text, and names where bytes are looked through."""
    changes = [(table, _change(gone)) for table in mutations.tables_of_deliveries(client) if table != _CALCULATED]
    said = " OR ".join(_told_of(one.deletion) for one in gone)
    return [*changes, ("rejects", f"UPDATE original = '', detail = '' WHERE {said}")]


def _change(gone: Sequence[Gone]) -> str:
    return f"DELETE WHERE delivery_id IN ({', '.join(str(one.deletion.delivery) for one in gone)})"


def _told_of(one: Deletion) -> str:
    """Whether a reject's bytes are an event of the delivery, which tells it by key or by name."""
    patterns = [rf'"d"\s*:\s*{one.delivery}\s*[,}}]']
    if one.name:
        spelt = {json.dumps(one.name), json.dumps(one.name, ensure_ascii=False)}
        patterns += [rf'"(dn|delivery)"\s*:\s*{re.escape(name)}' for name in sorted(spelt)]
    return " OR ".join(f"match(original, {literal(pattern)})" for pattern in patterns)


def literal(text: str) -> str:
    """A text as a string of ClickHouse's SQL: mutations take no parameters."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
