"""The loader on real Kafka and the real engine: what it passes, where it stops, who owns, how it ends."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sendtrail.enriched import EnrichedHeader, enriched_headers
from sinks.worker import Step
from tests.support.enriched import Emitter
from tests.support.line import clickhouse_settings
from tests.support.loading import SOURCE_TOPIC_ID, Line
from tests.support.stack import ClickHouse

OTHER_TOPIC_ID = "4f1c2a3e-0000-4000-8000-0000000000ff"
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


def test_replays_overlaps_stale_workers_and_foreign_records_change_nothing(line: Line) -> None:
    emitter = line.emitter
    emitter.emit(0, 10)
    emitter.emit(0, 10)
    emitter.repeat(0, 0)  # a worker that started again
    emitter.repeat(0, 1)
    emitter.ahead(0, 5)  # a stale worker ahead of the owner
    emitter.send_raw(0, b"hello", [("v", b"1")])
    emitter.overlap(0, 10)  # covers the last record too
    emitter.emit(0, 10, relabels=4)
    emitter.emit(0, 0)  # a record without rows
    emitter.send_raw(0, b"", enriched_headers(EnrichedHeader(SOURCE_TOPIC_ID, 5, 7, {})))  # empty offsets
    emitter.next_offset[0] = 8
    emitter.flush()
    loader = line.loader()
    line.wait_loaded()
    assert loader.terminate() == 0
    line.assert_ledger(records=6)
    assert "not an enriched record" in loader.log_text()


def test_replays_at_the_end_are_committed_without_a_plan(line: Line) -> None:
    line.emitter.emit(0, 10)
    line.emitter.repeat(0, 0)
    line.emitter.repeat(0, 0)
    line.emitter.flush()
    line.loader()
    line.wait(lambda: line.offset(0) == 3, "the group's offset passes the replays")
    line.assert_ledger()


def test_a_gap_that_lasts_stops_its_partition_and_no_other(line: Line) -> None:
    emitter = line.emitter
    emitter.emit(0, 10)
    emitter.ahead(0, 4)
    emitter.emit(1, 10)
    emitter.flush()
    loader = line.loader(gap_timeout_s=0.5)
    line.wait(lambda: "partition stopped" in loader.log_text(), "partition 0 stops")
    assert "source offsets 1 to 3 of partition 0 are missing" in loader.log_text()
    emitter.emit(1, 10)
    emitter.flush()
    line.wait(lambda: line.committed() == {0: 0, 1: 1}, "partition 1 goes on")
    assert line.offset(0) == 1  # the record ahead is read again by the next loader
    assert loader.terminate() == 0
    for _ in range(4):
        emitter.emit(0, 5)
    emitter.flush()
    line.loader()
    line.wait_loaded()
    line.assert_ledger()


def test_a_source_topic_made_anew_stops_until_it_is_accepted(line: Line) -> None:
    emit_some(line)
    anew = Emitter(line.emitter.bootstrap, line.emitter.topic, OTHER_TOPIC_ID, seed=2)
    for number in range(4):
        anew.emit(number % 2, 10)
    anew.flush()
    loader = line.loader()
    line.wait(lambda: loader.log_text().count("partition stopped") == 2, "both partitions stop")
    assert f'loader.accept_topic = \\"{OTHER_TOPIC_ID}\\"' in loader.log_text()
    assert line.committed() == {0: 2, 1: 2}
    line.assert_ledger()
    assert loader.terminate() == 0
    line.loader(accept_topic=OTHER_TOPIC_ID)
    line.wait(lambda: line.committed() == {0: 1, 1: 1}, "the new topic is loaded")
    line.emitter.events |= anew.events
    anew.close()
    line.assert_ledger(records=10)


def test_a_group_that_lost_its_commits_goes_on_from_the_audit(line: Line) -> None:
    emit_some(line)
    loader = line.loader()
    line.wait_loaded()
    loader.kill()
    line.lose_commits()
    emit_some(line)
    line.loader()
    line.wait_loaded()
    line.assert_ledger()


def test_tables_that_lost_rows_stop_the_loader(line: Line) -> None:
    emit_some(line)
    loader = line.loader()
    line.wait_loaded()
    assert loader.terminate() == 0
    with line.client() as client:
        client.execute("TRUNCATE TABLE audit")
    emit_some(line)
    loader = line.loader()
    line.wait(lambda: loader.log_text().count("ClickHouse lost data") == 2, "both partitions stop")
    assert "sendtrail replay --partition 1 --from 0 --to 2" in loader.log_text()


def test_a_second_loader_waits_and_redoes_what_the_first_left(line: Line) -> None:
    emit_some(line)
    first = line.loader(die_at=Step.EVENTS, times=2, batch_rows=40)
    assert first.wait() == KILLED
    second = line.loader(name="second")
    line.wait_loaded()
    assert "redoing an open plan" in second.log_text()
    third = line.loader(name="third")
    line.wait(lambda: "waits" in third.log_text(), "the third says that it waits")
    emit_some(line)
    line.wait_loaded()
    assert "partition resumed" not in third.log_text()
    line.assert_ledger()


def test_a_data_directory_is_for_one_loader(line: Line) -> None:
    first = line.loader()
    line.wait(lambda: "loader started" in first.log_text(), "the first runs")
    second = line.loader()
    assert second.wait() == 1
    assert "another loader runs" in second.log_text()
    assert first.running


def test_sigterm_finishes_the_open_plan(line: Line) -> None:
    line.loader()
    for _ in range(10):
        line.emitter.emit(0, 400)
    line.emitter.flush()
    line.wait(lambda: bool(line.committed()) or line.has_intent(0), "a plan is open or done")
    assert line.loaders[-1].terminate() == 0
    assert not line.has_intent(0)
    line.loader()
    line.wait_loaded()
    line.assert_ledger()


def test_it_waits_for_tables_and_topics(kafka: str, topic_prefix: str, clickhouse: ClickHouse, tmp_path: Path) -> None:
    made = Line.make(
        kafka, topic_prefix, clickhouse_settings(clickhouse, "later_" + topic_prefix[2:-1]), tmp_path, tables=False
    )
    try:
        loader = made.loader()
        made.wait(lambda: "sendtrail migrate" in loader.log_text(), "it says what it waits for")
        made.migrate()
        emit_some(made)
        made.wait_loaded()
        made.assert_ledger()
        assert loader.terminate() == 0
    finally:
        made.close()
        with clickhouse.client() as client:
            client.execute(f"DROP DATABASE IF EXISTS {made.clickhouse.database} SYNC")
