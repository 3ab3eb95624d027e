"""Whether every table that loaders insert into, views' targets included, remembers enough blocks to know one again."""

import re
from typing import NamedTuple

from clickhouse_driver import Client

from sendtrail.errors import SendtrailError
from sendtrail.settings import ClickHouseSettings
from sinks.mutations import on_cluster
from sinks.queries import query
from sinks.recount import aggregates

_LOADED = ("events", "rejects", "audit")
#: What ClickHouse takes where a table does not say it.
_UNSAID = {"non_replicated_deduplication_window": 0, "replicated_deduplication_window": 10_000}


class TooShort(SendtrailError):
    """A table would forget inserts while they may still be repeated."""


class NotReplicated(SendtrailError):
    """Several loaders are allowed by the settings, and tables could not tell their inserts apart."""


class Window(NamedTuple):
    """A table, the setting that says how many blocks it remembers, and how many these are."""

    table: str
    setting: str
    blocks: int


def windows(client: Client) -> list[Window]:
    """Of every table that must not count an insert twice. Lets the driver's errors through."""
    tables = [*_LOADED, *(aggregate.target for aggregate in aggregates(client))]
    found = []
    for table, engine, made in client.execute(query("table_engines"), {"tables": tables}):
        kind = "replicated" if engine.startswith("Replicated") else "non_replicated"
        setting = f"{kind}_deduplication_window"
        said = re.search(rf"\b(?<!non_){setting} = (\d+)", made)
        found.append(Window(table, setting, int(said[1]) if said else _UNSAID[setting]))
    return found


def check_replicated(client: Client, settings: ClickHouseSettings) -> None:
    """Raises NotReplicated where clickhouse.replicated says of tables what they are not.

    A plain table and its memory of inserts are two things: after the engine died, only one loader can tell what it
    inserted. So the tables decide whether there may be several, not the setting alone.
    """
    if not settings.replicated:
        return
    plain = [one.table for one in windows(client) if one.setting.startswith("non_")]
    if plain:
        raise NotReplicated(
            f"clickhouse.replicated is set, and {', '.join(plain)} are not replicated: several loaders would double "
            "rows. Unset it, or make the tables anew as replicated ones (sendtrail migrate on an empty database)"
        )


def check_windows(client: Client, settings: ClickHouseSettings, wanted: int) -> None:
    """Raises TooShort, with what to run, where a table remembers less than `wanted` blocks."""
    short = [one for one in windows(client) if one.blocks < wanted]
    if short:
        told = ", ".join(f"{one.table} ({one.setting} = {one.blocks})" for one in short)
        fix = "; ".join(
            f"ALTER TABLE {settings.database}.{one.table}{on_cluster(settings)} MODIFY SETTING {one.setting} = {wanted}"
            for one in short
        )
        raise TooShort(f"loader.dedup_window is {wanted} blocks, and these tables remember less: {told}. Run: {fix}")
