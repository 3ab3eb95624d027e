"""A loader that a tool holds, and tables that change while a plan is open."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinks.control import paused
from sinks.recount import aggregates, differing
from sinks.worker import Step
from tests.support.line import clickhouse_settings
from tests.support.loading import Line
from tests.support.stack import ClickHouse

KILLED = -9
NEW_TABLE = (
    "CREATE TABLE by_message (delivery_id UInt64, message_id UInt64, n Int64) ENGINE = SummingMergeTree(n) "
    "ORDER BY (delivery_id, message_id) SETTINGS non_replicated_deduplication_window = 10000"
)
NEW_SELECT = "SELECT delivery_id, message_id, sum(toInt64(sign)) AS n FROM {}.events GROUP BY delivery_id, message_id"


@pytest.fixture
def line(kafka: str, topic_prefix: str, clickhouse: ClickHouse, database: str, tmp_path: Path) -> Iterator[Line]:
    made = Line.make(kafka, topic_prefix, clickhouse_settings(clickhouse, database), tmp_path)
    yield made
    made.close()


def emit_some(line: Line, records: int = 6) -> None:
    for number in range(records):
        line.emitter.emit(number % 2, 15, relabels=3, rejects=1)
    line.emitter.flush()


def add_a_view(line: Line) -> None:
    """What a migration does under a pause: a table, its view, and what `events` holds already."""
    select = NEW_SELECT.format(line.clickhouse.database)
    with line.client() as client:
        client.execute(NEW_TABLE)
        client.execute(f"CREATE MATERIALIZED VIEW by_message_mv TO by_message AS {select}")
        client.execute(f"INSERT INTO by_message {select}")
        client.execute("INSERT INTO migrations SELECT name, checksum, now64(3) FROM migrations ORDER BY name LIMIT 1")


def assert_new_table_is_a_recount(line: Line) -> None:
    with line.client() as client:
        [aggregate] = [each for each in aggregates(client) if each.target == "by_message"]
        assert differing(client, aggregate, [1, 2, 3]) == 0
        assert client.execute("SELECT sum(n) FROM by_message") == [(len(line.emitter.events),)]


def test_nothing_is_inserted_while_a_tool_works(line: Line) -> None:
    emit_some(line)
    line.loader()
    line.wait_loaded()
    with paused(line.clickhouse, "migrate"), line.client() as client:
        before = client.execute("SELECT count() FROM audit")
        emit_some(line)
        add_a_view(line)
        line.wait(
            lambda: bool(client.execute("SELECT count() FROM control FINAL WHERE name = 'holding'")[0][0]), "it holds"
        )
        assert client.execute("SELECT count() FROM audit") == before
    line.wait_loaded()
    line.assert_ledger()
    assert_new_table_is_a_recount(line)


def test_a_gap_does_not_age_while_the_loader_reads_nothing(line: Line) -> None:
    """It is full while a tool holds it, so the records that close the gap can't come."""
    line.emitter.emit(0, 10)
    line.emitter.flush()
    loader = line.loader(gap_timeout_s=3, batch_rows=20)
    line.wait_loaded()
    with paused(line.clickhouse, "migrate"):
        line.emitter.ahead(0, 4)
        line.emitter.flush()
        for _ in range(6):
            line.emitter.emit(1, 10)
        line.emitter.flush()
        time.sleep(1)  # it is full now
        for _ in range(4):
            line.emitter.emit(0, 5)
        line.emitter.flush()
        time.sleep(4)
    line.wait_loaded()
    line.assert_ledger()
    assert "partition stopped" not in loader.log_text()


def test_a_view_that_is_added_while_a_plan_is_open(line: Line) -> None:
    emit_some(line)
    assert line.loader(die_at=Step.EVENTS, times=2, batch_rows=40).wait() == KILLED
    add_a_view(line)
    line.loader()
    line.wait_loaded()
    line.assert_ledger()
    assert_new_table_is_a_recount(line)
