"""An insert's own settings win over whatever a server has for defaults, on every release."""

import pytest
from clickhouse_driver import Client

from sendtrail.enriched import RejectRow
from sinks.stored import ClickHouseLookup
from sinks.write import INSERT_SETTINGS
from tests.sinks.test_schema import LOADED, content, everything
from tests.support.tracked import NOW_MS, load, record

DELIVERY = 900
HOSTILE = {
    "insert_deduplicate": "0",
    "deduplicate_insert": "'disable'",
    "deduplicate_blocks_in_dependent_materialized_views": "0",
    "async_insert": "1",
    "max_partitions_per_insert_block": "1",
}


def insert_everything(client: Client) -> None:
    rows = everything(DELIVERY)
    rows[0].event_time_ms -= 40 * 86_400_000
    reject = RejectRow(source_offset=1, source_index=99, key="k", reason="bad_id", time_ms=NOW_MS)
    load(client, [record(1, [*rows, reject], DELIVERY)], ClickHouseLookup(client), "hostile")


@pytest.mark.stack
def test_a_block_counts_once_whatever_the_session_says(client: Client) -> None:
    known = {name for (name,) in client.execute("SELECT name FROM system.settings")}
    assert HOSTILE.keys() <= INSERT_SETTINGS.keys()
    client.execute("SET " + ", ".join(f"{name} = {value}" for name, value in HOSTILE.items() if name in known))
    insert_everything(client)
    once = {table: content(client, table, DELIVERY) for table in LOADED}
    assert all(once.values())
    insert_everything(client)
    assert {table: content(client, table, DELIVERY) for table in LOADED} == once
