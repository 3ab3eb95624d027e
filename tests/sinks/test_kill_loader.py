"""A loader that is killed between any two of its steps: the next one loads every event once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sinks.worker import Step
from tests.support.line import clickhouse_settings
from tests.support.loading import Line
from tests.support.stack import ClickHouse

KILLED = -9


@pytest.fixture
def line(kafka: str, topic_prefix: str, clickhouse: ClickHouse, database: str, tmp_path: Path) -> Iterator[Line]:
    made = Line.make(kafka, topic_prefix, clickhouse_settings(clickhouse, database), tmp_path)
    yield made
    made.close()


def emit_some(line: Line, records: int = 6) -> None:
    for number in range(records):
        line.emitter.emit(number % 2, 15, relabels=3, rejects=1)
    line.emitter.flush()


@pytest.mark.parametrize("step", list(Step))
def test_killed_at_a_step_of_its_second_plan(line: Line, step: Step) -> None:
    emit_some(line)
    loader = line.loader(die_at=step, times=2, batch_rows=40)
    assert loader.wait() == KILLED
    emit_some(line, 2)
    line.loader()
    line.wait_loaded()
    line.assert_ledger()
