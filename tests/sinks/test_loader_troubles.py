"""ClickHouse refuses, Kafka dies, owners change: the loader waits, stops what must stop, and goes on."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sendtrail.clickhouse import connect
from sendtrail.local.kafka import KafkaBroker
from sinks.control import Control
from sinks.migrate import migrate
from sinks.worker import Step
from tests.support.line import clickhouse_settings
from tests.support.loading import Line
from tests.support.stack import ClickHouse

KILLED = -9
#: Blocks that tables remember.
WINDOW = 100


@pytest.fixture
def line(kafka: str, topic_prefix: str, clickhouse: ClickHouse, database: str, tmp_path: Path) -> Iterator[Line]:
    made = Line.make(kafka, topic_prefix, clickhouse_settings(clickhouse, database), tmp_path)
    yield made
    made.close()


def emit_some(line: Line, records: int = 6) -> None:
    for number in range(records):
        line.emitter.emit(number % 2, 15, relabels=3, rejects=1)
    line.emitter.flush()


def change(line: Line, statement: str) -> None:
    with line.client() as client:
        client.execute(statement)


def test_too_many_parts_are_waited_out(line: Line) -> None:
    loader = line.loader()
    emit_some(line)
    line.wait_loaded()
    change(line, "ALTER TABLE url_activity MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1")
    emit_some(line)
    line.wait(lambda: "trying again" in loader.log_text(), "the loader says that ClickHouse refuses")
    emit_some(line)
    change(line, "ALTER TABLE url_activity RESET SETTING parts_to_throw_insert, parts_to_delay_insert")
    line.wait_loaded()
    line.assert_ledger()
    assert "partition stopped" not in loader.log_text()


def test_an_error_that_time_does_not_heal_stops_the_partitions(line: Line) -> None:
    change(line, "ALTER TABLE rejects RENAME COLUMN reason TO reason_old")
    emit_some(line)
    loader = line.loader()
    line.wait(lambda: loader.log_text().count("partition stopped") == 2, "both partitions stop")
    assert "a plan can't be inserted" in loader.log_text()
    assert loader.running
    assert line.has_intent(0)
    assert loader.terminate() == 0
    change(line, "ALTER TABLE rejects RENAME COLUMN reason_old TO reason")
    line.loader()
    line.wait_loaded()
    line.assert_ledger()


def test_an_open_plan_whose_partitions_went_to_two_loaders(line: Line) -> None:
    emit_some(line)
    assert line.loader(die_at=Step.EVENTS, batch_rows=1000).wait() == KILLED
    assert line.has_intent(0)
    assert line.has_intent(1)
    several = {"SENDTRAIL_CLICKHOUSE_REPLICATED": "true", "SENDTRAIL_TEST_SEVERAL": "1"}
    with line.client() as client:
        Control(client, line.member_id()).leave()  # nobody waits for the dead one
        tool = Control(client, "test-1")
        tool.say("pause", "on", 60)
        loaders = [line.loader(name=name, environment=several) for name in ("left", "right")]
        line.wait(lambda: all("redoing an open plan" in each.log_text() for each in loaders), "both begin to redo it")
        tool.say("pause", "off", 60)
    emit_some(line)
    line.wait_loaded()
    line.assert_ledger()
    assert all("partition resumed" in loader.log_text() for loader in loaders)


def test_tables_decide_whether_there_may_be_several_loaders(line: Line) -> None:
    loader = line.loader(environment={"SENDTRAIL_CLICKHOUSE_REPLICATED": "true"})
    line.wait(lambda: "not replicated: several loaders would double rows" in loader.log_text(), "it says why it waits")
    assert "loader started" not in loader.log_text()


def test_a_loader_that_was_away_for_longer_than_clickhouse_remembers(
    kafka: str, topic_prefix: str, clickhouse: ClickHouse, database: str, tmp_path: Path
) -> None:
    """The token of what it inserted is forgotten by `events`; the redo counts rows instead of trusting it."""
    settings = clickhouse_settings(clickhouse, database)
    with connect(settings, database="default") as client:
        migrate(client, settings, dedup_window=WINDOW)
    line = Line.make(kafka, topic_prefix, settings, tmp_path, tables=False)
    try:
        emit_some(line)
        assert line.loader(die_at=Step.EVENTS, batch_rows=1000, dedup_window=WINDOW).wait(120) == KILLED
        assert line.has_intent(0)
        with line.client() as client:  # as other loaders do: a block for each month of an insert
            client.execute(
                "INSERT INTO events (delivery_id, event_id, sign, kind, event_time, message_id, class) "
                "SELECT 1, unhex(leftPad(hex(number), 32, '0')), 1, 'unsubscribed', "
                "addMonths(toDateTime64('2001-01-15', 3, 'UTC'), number), number, 'human' "
                "FROM numbers({blocks:UInt32})",
                {"blocks": WINDOW + 20},
                settings={"max_partitions_per_insert_block": 0},
            )
        line.emitter.events |= {f"{number:032x}": (1, "human") for number in range(WINDOW + 20)}
        loader = line.loader(dedup_window=WINDOW)
        line.wait_loaded(120)
        line.assert_ledger()
        assert '"doubtful": true' in loader.log_text()
    finally:
        line.close()


def test_a_broker_that_is_killed(
    make_broker: Callable[[], KafkaBroker], clickhouse: ClickHouse, database: str, tmp_path: Path
) -> None:
    broker = make_broker()
    line = Line.make(broker.bootstrap, "t.", clickhouse_settings(clickhouse, database), tmp_path)
    try:
        loader = line.loader()
        emit_some(line, 20)
        line.wait(lambda: bool(line.committed()), "loading has begun")
        line.disconnect()
        broker.kill()
        time.sleep(0.5)
        broker.start()
        broker.wait_ready()
        line.reconnect()
        emit_some(line, 20)
        line.wait_loaded(60)
        line.assert_ledger()
        assert loader.terminate() == 0
    finally:
        line.close()
