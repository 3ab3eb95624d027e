"""A database with a town in it, made once for this folder."""

from collections.abc import Iterator

import pytest
from clickhouse_driver import Client

from tests.dashboards.grafana.town import fill
from tests.support.line import scratch
from tests.support.stack import ClickHouse


@pytest.fixture(scope="package")
def town(clickhouse: ClickHouse) -> Iterator[Client]:
    """A client of the town's database."""
    with scratch(clickhouse) as client:
        fill(client)
        yield client
