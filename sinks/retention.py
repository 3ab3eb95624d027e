"""How long each table keeps its rows: the one place that decides, made of the settings of section `retention`.

Most of it are TTLs, which ClickHouse carries out while it merges. Two kinds of rows can't have one:
- `recipient_activity` goes with its event, whose age it does not know; `audit` keeps the newest row of every partition,
  which is where loading goes on. Both, and purged_events, are swept by the loader once a day (`sweeps`);
- everything else stays: aggregates are the numbers of reports, the registry and the lists of what people asked.

An event is kept by its own time, so that a row and the -1 and +1 of its re-labels go together; one that is marked late
(imported, or out of an old spool) by the time of its record: it would be gone before anybody saw it.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from sendtrail.settings import ClickHouseSettings, RetentionSettings
from sinks import mutations
from sinks.queries import query

#: Kept whatever the setting says: what GET /v1/suppressions tells.
_KEPT_EVENTS = "kind NOT IN ('bounced', 'complained', 'unsubscribed') AND how NOT IN ('form', 'one_click')"
_EVENT_AGE = "toDateTime(if(bitTest(marks, 0), log_time, event_time))"
_CONTROL_DAYS = 7


class Ttl(NamedTuple):
    """A TTL: seconds as an expression, days behind it (0 = for ever), and which rows it is of (empty = all)."""

    table: str
    since: str
    days: int
    of: str = ""

    @property
    def text(self) -> str:
        """As ClickHouse writes it; empty for ever."""
        where = f" WHERE {self.of}" if self.of else ""
        return f"{self.since} + toIntervalDay({self.days}){where}" if self.days else ""


class Change(NamedTuple):
    """A table whose retention is another one now: what is said of it, and the statements that do it."""

    table: str
    said: str
    statements: tuple[str, ...]


def ttls(settings: RetentionSettings) -> tuple[Ttl, ...]:
    """Every TTL there is to be."""
    return (
        Ttl("events", _EVENT_AGE, settings.events_days, _KEPT_EVENTS),
        Ttl("rejects", "toDateTime(log_time)", settings.rejects_days),
        Ttl("control", "toDateTime(expires)", _CONTROL_DAYS),
    )


def words(table: str, settings: RetentionSettings) -> str:
    """How long a table keeps its rows, for people; empty: for ever."""
    by = {
        "events": (settings.events_days, "retention.events_days", ", opt-outs, complaints and bounces for ever"),
        "recipient_activity": (settings.events_days, "retention.events_days", ", with its event"),
        "rejects": (settings.rejects_days, "retention.rejects_days", ""),
        "audit": (settings.audit_days, "retention.audit_days", ", the newest row of each partition for ever"),
        "purged_events": (settings.audit_days, "retention.audit_days", ""),
    }
    if table == "control":
        return f"{_CONTROL_DAYS} days after a word is void"
    days, setting, more = by.get(table, (0, "", ""))
    return f"{days} days (`{setting}`){more}" if days else ""


def changes(client: Any, settings: ClickHouseSettings, retention: RetentionSettings) -> Iterator[Change]:
    """What `apply` would do. Lets the driver's errors through."""
    found = dict(client.execute(
        "SELECT name, engine_full FROM system.tables WHERE database = {d:String}", {"d": settings.database}
    ))  # fmt: skip
    cluster = mutations.on_cluster(settings)
    for ttl in ttls(retention):
        have = _ttl_of(found.get(ttl.table, ""))
        if ttl.table in found and _bare(have) != _bare(ttl.text):
            yield Change(ttl.table, _said(ttl, have), _statements(f"{settings.database}.{ttl.table}{cluster}", ttl))


def apply(client: Any, settings: ClickHouseSettings, retention: RetentionSettings) -> list[Change]:
    """Give tables the TTLs that the settings say, where they have others. Lets the driver's errors through.

    Old parts learn their TTL in the background, without being written again.
    """
    made = list(changes(client, settings, retention))
    for change in made:
        for statement in change.statements:
            client.execute(statement)
    return made


def _statements(table: str, ttl: Ttl) -> tuple[str, ...]:
    if not ttl.text:
        return (f"ALTER TABLE {table} REMOVE TTL",)
    return (
        f"ALTER TABLE {table} MODIFY SETTING materialize_ttl_recalculate_only = 1",
        f"ALTER TABLE {table} MODIFY TTL {ttl.text.replace(' WHERE ', ' DELETE WHERE ')}",
    )


def _said(ttl: Ttl, have: str) -> str:
    before = _days(have)
    now = f"{ttl.days} days" if ttl.days else "for ever"
    return f"table {ttl.table} keeps rows {now} from now on, before: {f'{before} days' if before else 'for ever'}"


def _days(text: str) -> int:
    match = re.search(r"toIntervalDay\((\d+)\)", text)
    return int(match[1]) if match else 0


def _ttl_of(engine_full: str) -> str:
    match = re.search(r" TTL (.+?)(?: SETTINGS |$)", engine_full)
    return match[1] if match else ""


def _bare(text: str) -> str:
    """A TTL without what versions of ClickHouse write differently."""
    return re.sub(r"[\s()`]|DELETE", "", text)


def sweeps(retention: RetentionSettings) -> Iterator[tuple[str, str, int]]:
    """Query that counts what is too old, its table, and the days it is kept: what no TTL can tell."""
    if retention.events_days:
        yield "sweep_hits", "recipient_activity", retention.events_days
    if retention.audit_days:
        yield "sweep_audit", "audit", retention.audit_days
        yield "sweep_purged", "purged_events", retention.audit_days


def sweep(client: Any, settings: ClickHouseSettings, retention: RetentionSettings) -> dict[str, int]:
    """Take away what is too old; table -> rows. Lets the driver's errors through, and raises MutationError."""
    gone = {}
    for name, table, days in sweeps(retention):
        text = query(name)
        rows = client.execute(text, {"days": days})[0][0]
        if rows:
            condition = text.partition(" WHERE ")[2].replace("{days:UInt32}", str(days))
            mutations.begin(client, settings, [(table, f"DELETE WHERE {condition}")])
            gone[table] = int(rows)
    if gone:
        mutations.wait(client)
    return gone
