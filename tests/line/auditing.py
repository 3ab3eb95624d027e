"""The audit asked in this process, of a copy of a running line's tables that may be damaged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_driver import Client

from sendtrail.clickhouse import connect
from sendtrail.settings import ClickHouseSettings, Config, KafkaSettings, RetentionSettings
from sinks.audit import Audit, balance
from sinks.audit_findings import Finding
from sinks.audit_sources import Place, read_books
from sinks.audit_tables import WHOLE
from tests.line.running import Line
from tests.support.stack import random_name

#: What the audit reads.
TABLES = ("events", "rejects", "audit", "purged_events", "deletions", "migrations")
_CONFIG = Config({})


def tables_of(line: Line, database: str) -> ClickHouseSettings:
    """Settings for a database of the line's ClickHouse."""
    return _CONFIG.section(
        ClickHouseSettings, address=line.endpoints["clickhouse_native"], user=line.endpoints["user"],
        password=line.endpoints["password"], database=database,
    )  # fmt: skip


def audit_of(line: Line, client: Client, window: tuple[int, int] = WHOLE, retention_days: int = 400) -> Audit:
    """The audit of the line's topics and spools against the tables of a client."""
    kafka = _CONFIG.section(KafkaSettings, bootstrap=line.endpoints["kafka"])
    spools = [line.data / "spool" / name for name in ("edge", "api", "relay")]
    retention = _CONFIG.section(RetentionSettings, events_days=retention_days, audit_days=retention_days)
    place = Place(client, kafka, spools, retention)
    return balance(read_books(place, window))


@contextmanager
def copied(line: Line) -> Iterator[Client]:
    """A client of a copy of what the audit reads. The line must be at rest."""
    name = random_name("copy")
    with line.client() as maker:
        maker.execute(f"CREATE DATABASE {name}")
        for table in TABLES:
            maker.execute(f"CREATE TABLE {name}.{table} AS {table}")
            maker.execute(f"INSERT INTO {name}.{table} SELECT * FROM {table}")
    try:
        with connect(tables_of(line, name)) as client:
            yield client
    finally:
        with line.client() as maker:
            maker.execute(f"DROP DATABASE IF EXISTS {name} SYNC")


def only(audit: Audit, kind: str) -> Finding:
    """The one difference there is; it is of that kind."""
    [finding] = audit.differences
    assert finding.kind == kind, audit.problems
    return finding
