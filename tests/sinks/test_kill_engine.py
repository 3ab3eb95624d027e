"""An engine that is killed: mid-insert, and where a part's token is remembered but the part not yet in place."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sendtrail.local.engine import Engine
from tests.support.line import clickhouse_settings
from tests.support.loading import Line
from tests.support.rename import killed_at_rename, needs_strace
from tests.support.stack import ClickHouse


@pytest.fixture
def engine(make_engine: Callable[[], Engine]) -> Engine:
    return make_engine()


@pytest.fixture
def line(kafka: str, topic_prefix: str, engine: Engine, tmp_path: Path) -> Iterator[Line]:
    made = Line.make(kafka, topic_prefix, clickhouse_settings(ClickHouse.of(engine), "tracking"), tmp_path)
    yield made
    made.close()


#: Every table an insert of the emitter's events ends in, some for each engine.
TABLES = (
    ("events", "message_activity", "url_activity"),
    ("message_state", "person_activity", "stat_minute"),
    ("breakdown", "recipient_activity", "rejects", "audit"),
)


def emit_some(line: Line, records: int = 4) -> None:
    for number in range(records):
        line.emitter.emit(number % 2, 15, relabels=3, rejects=1)
    line.emitter.flush()


def restart(engine: Engine) -> None:
    engine.kill()
    engine.start()
    engine.wait_ready()


@needs_strace
@pytest.mark.parametrize("tables", TABLES, ids=" ".join)
def test_killed_at_the_rename_of_a_part_while_the_loader_lives(
    line: Line, engine: Engine, tables: tuple[str, ...]
) -> None:
    emit_some(line)
    loader = line.loader()
    line.wait_loaded()
    for number, table in enumerate(tables, start=1):
        with line.client() as client, killed_at_rename(engine, client, table):
            emit_some(line)
            line.wait(lambda: not engine.running, f"the engine dies at the rename of {table}")
        restart(engine)
        line.wait_loaded()
        assert loader.log_text().count("put right") == number
    line.assert_ledger()


@needs_strace
def test_killed_at_the_rename_and_the_loader_with_it(line: Line, engine: Engine) -> None:
    emit_some(line)
    loader = line.loader()
    line.wait_loaded()
    with line.client() as client, killed_at_rename(engine, client, "events"):
        emit_some(line)
        line.wait(lambda: not engine.running, "the engine dies at the rename of events")
    loader.kill()
    restart(engine)
    loader = line.loader()
    line.wait_loaded()
    assert "put right" in loader.log_text()
    line.assert_ledger()


def test_killed_at_random_while_inserts_run(line: Line, engine: Engine) -> None:
    at_random = random.Random(5)
    line.loader(batch_wait_ms=1)
    for _ in range(4):
        for number in range(40):
            line.emitter.emit(number % 2, 200, relabels=5)
        line.emitter.flush()
        time.sleep(at_random.uniform(0.3, 1.0))
        restart(engine)
    line.wait_loaded()
    line.assert_ledger()
