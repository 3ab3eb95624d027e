"""The replicated variant of every migration is SQL on every release; without Keeper it can be parsed, not run."""

import pytest
from clickhouse_driver import Client

from sinks.migrate import migrations, render
from tests.sinks.test_migrate import REPLICATED


@pytest.mark.stack
def test_the_replicated_variant_is_sql(client: Client) -> None:
    for each in migrations():
        assert client.execute("EXPLAIN AST " + render(each.text, REPLICATED)), each.name
