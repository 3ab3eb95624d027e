"""Helpers for tests that use the tables: a migrated database, rows of events, and inserts as the loader does them."""

from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_driver import Client

from sendtrail.clickhouse import connect
from sendtrail.settings import ClickHouseSettings, Config
from sinks.migrate import migrate
from tests.support.stack import ClickHouse, random_name


def clickhouse_settings(clickhouse: ClickHouse, database: str) -> ClickHouseSettings:
    """The settings every stage would get for this server and database."""
    return Config({}).section(
        ClickHouseSettings,
        address=clickhouse.address,
        user=clickhouse.user,
        password=clickhouse.password,
        database=database,
    )


def migrated(clickhouse: ClickHouse, database: str) -> Client:
    """A client of a database with all tables of this release. Close it with `disconnect()` or use it in `with`."""
    settings = clickhouse_settings(clickhouse, database)
    with connect(settings, database="default") as client:
        migrate(client, settings)
    return connect(settings)


@contextmanager
def scratch(clickhouse: ClickHouse) -> Iterator[Client]:
    """A client of a migrated database that is dropped at the end; for fixtures that serve a whole module."""
    name = random_name("test")
    try:
        with migrated(clickhouse, name) as client:
            yield client
    finally:
        with clickhouse.client() as client:
            client.execute(f"DROP DATABASE IF EXISTS {name} SYNC")
