"""A database with the random world in it, made once."""

from collections.abc import Iterator
from random import Random

import pytest
from clickhouse_driver import Client

from dashboards.queries import Queries
from sendtrail.clickhouse import connect
from sendtrail.settings import Config, ReportSettings
from tests.dashboards.happenings import insert, register, register_urls, store_indicators
from tests.dashboards.world import REGISTERED, URLS, World, make
from tests.support.line import clickhouse_settings, migrated, scratch
from tests.support.stack import ClickHouse, random_name


@pytest.fixture(scope="package")
def world_database(clickhouse: ClickHouse) -> Iterator[str]:
    """Name of the world's database."""
    name = random_name("reports")
    yield name
    with clickhouse.client() as client:
        client.execute(f"DROP DATABASE IF EXISTS {name} SYNC")


@pytest.fixture(scope="package")
def world(clickhouse: ClickHouse, world_database: str) -> World:
    """Some 30,000 events as they happened; the same are in the database."""
    made = make(seed=3, hits=25_000)
    with migrated(clickhouse, world_database) as client:
        client.execute("SYSTEM STOP MERGES events")  # so that rows of re-labels stand beside what they cancel
        register(client, REGISTERED)
        register_urls(client, [(d.delivery, url_id, *told) for d in REGISTERED for url_id, told in URLS.items()])
        insert(client, made.happenings, Random(5))
        store_indicators(client)
    return made


@pytest.fixture(scope="package")
def tables(clickhouse: ClickHouse) -> Iterator[Client]:
    """A client of a database with all tables, made once: to make them takes longer than most tests."""
    with scratch(clickhouse) as made:
        # Else rows of one test could be calculated for the next, and stored numbers while a test looks at them.
        made.execute("SYSTEM STOP VIEW indicators_refresh")
        made.execute("SYSTEM WAIT VIEW indicators_refresh")
        yield made


@pytest.fixture
def client(tables: Client) -> Client:
    """A client of a database with all tables, all of them empty; indicators are stored by `store_indicators` alone."""
    for (name,) in tables.execute(
        "SELECT name FROM system.tables WHERE database = currentDatabase() AND total_rows > 0"
    ):
        if name != "migrations":
            tables.execute(f"TRUNCATE TABLE {name} SYNC")
    return tables


@pytest.fixture
def report_settings() -> ReportSettings:
    """Defaults, but two domains with a row of their own."""
    return Config({}).section(ReportSettings, report_domains=["gmail.com", "example.org"])


@pytest.fixture
def queries(client: Client, report_settings: ReportSettings) -> Queries:
    """Queries on an empty database."""
    return Queries(client, report_settings)


@pytest.fixture
def world_queries(
    clickhouse: ClickHouse, world: World, world_database: str, report_settings: ReportSettings
) -> Iterator[Queries]:
    """Queries on the random world."""
    with connect(clickhouse_settings(clickhouse, world_database)) as made:
        yield Queries(made, report_settings)
