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


def test_six_lives_each_killed_at_another_step(line: Line) -> None:
    """Each life finishes a plan, which may be the last one's, and dies in its next."""
    for step in Step:
        emit_some(line)
        assert line.loader(die_at=step, times=2, batch_rows=40).wait() == KILLED
    emit_some(line, 2)
    line.loader()
    line.wait_loaded()
    line.assert_ledger()


def test_killed_again_while_it_redoes(line: Line) -> None:
    emit_some(line)
    for step in (Step.EVENTS, Step.EVENTS, Step.REJECTS, Step.AUDIT):
        assert line.loader(die_at=step).wait() == KILLED
    line.loader()
    line.wait_loaded()
    line.assert_ledger()
