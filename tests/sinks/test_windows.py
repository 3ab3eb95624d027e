"""How many blocks tables remember: checked at the start of a loader, on targets of views too."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_driver import Client

from sendtrail.settings import LoaderSettings
from sinks.recount import aggregates
from sinks.windows import TooShort, check_windows, windows
from tests.support.line import clickhouse_settings, migrated
from tests.support.loading import Line
from tests.support.stack import ClickHouse

DEFAULT = LoaderSettings.model_fields["dedup_window"].default


@pytest.fixture
def client(clickhouse: ClickHouse, database: str) -> Iterator[Client]:
    with migrated(clickhouse, database) as made:
        yield made


def test_every_target_of_a_view_but_the_clock_is_looked_at(client: Client) -> None:
    found = {one.table: one.blocks for one in windows(client)}
    assert found.keys() == {"events", "rejects", "audit", *(each.target for each in aggregates(client))}
    assert "touched" not in found
    assert set(found.values()) == {DEFAULT}


@pytest.mark.parametrize("table", ["events", "stat_minute"])
@pytest.mark.parametrize("change", ["MODIFY SETTING {} = 99", "RESET SETTING {}"])
def test_one_that_is_too_short_is_named_with_what_helps(
    client: Client, clickhouse: ClickHouse, database: str, table: str, change: str
) -> None:
    settings = clickhouse_settings(clickhouse, database)
    check_windows(client, settings, DEFAULT)
    client.execute(f"ALTER TABLE {table} {change.format('non_replicated_deduplication_window')}")
    with pytest.raises(TooShort, match=rf"{table} \(non_replicated_deduplication_window = (99|0)\)") as raised:
        check_windows(client, settings, DEFAULT)
    for statement in str(raised.value).partition("Run: ")[2].split("; "):
        client.execute(statement)
    check_windows(client, settings, DEFAULT)


def test_a_loader_does_not_start_before(
    kafka: str, topic_prefix: str, clickhouse: ClickHouse, database: str, tmp_path: Path
) -> None:
    line = Line.make(kafka, topic_prefix, clickhouse_settings(clickhouse, database), tmp_path)
    try:
        with line.client() as client:
            client.execute("ALTER TABLE url_activity MODIFY SETTING non_replicated_deduplication_window = 100")
            loader = line.loader()
            line.emitter.emit(0, 10)
            line.emitter.flush()
            line.wait(
                lambda: "url_activity (non_replicated_deduplication_window = 100)" in loader.log_text(), "it says"
            )
            client.execute("ALTER TABLE url_activity MODIFY SETTING non_replicated_deduplication_window = 10000")
        line.wait_loaded()
        line.assert_ledger()
    finally:
        line.close()
