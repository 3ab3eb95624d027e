"""The suites of this folder run on every other release: `clickhouse` is an engine of it, not the installed one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from clickhouse_driver import Client

from tests.support.engines import OtherEngine, packages, releases
from tests.support.line import migrated
from tests.support.stack import ClickHouse, random_name


@pytest.fixture(scope="session")
def installed() -> None:
    """Every release's chDB, downloaded side by side the first time."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(packages, releases()))


@pytest.fixture(scope="session", params=releases())
def clickhouse(
    request: pytest.FixtureRequest, installed: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ClickHouse]:
    """Where an engine of another release answers. It is killed in the end: older ones take long to drop a database."""
    engine = OtherEngine(tmp_path_factory.mktemp("engine"), request.param)
    engine.start()
    try:
        engine.wait_ready()
        yield ClickHouse.of(engine)
    finally:
        engine.kill()


@pytest.fixture(scope="module")
def client(clickhouse: ClickHouse) -> Iterator[Client]:
    """A client of a database with all tables, which is left to the engine's end."""
    with migrated(clickhouse, random_name("test")) as made:
        yield made
