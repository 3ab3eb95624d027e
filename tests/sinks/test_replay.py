"""What ClickHouse lost is made again: rows from Kafka, aggregates from rows; and a back-up that is put back."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from kafka import KafkaProducer, TopicPartition

from sendtrail.kafka_admin import admin_client, physical_name, topic_id
from sendtrail.local.engine import Engine
from sendtrail.topics import ENRICHED, EVENTS
from sinks import replay as module
from sinks.addresses import IN_FULL
from sinks.erased import NOBODY_ERASED
from sinks.gaps import Span
from sinks.replay import Outcome, Slice, Tools, lost, replay
from sinks.standing import standings
from tests.support.line import clickhouse_settings
from tests.support.loading import PARTITIONS, Line
from tests.support.stack import ClickHouse

SENDTRAIL = str(Path(sys.executable).parent / "sendtrail")
COMMAND = re.compile(r"sendtrail replay --partition \d+ --from \d+ --to \d+")


def make_line(kafka: str, prefix: str, clickhouse: ClickHouse, database: str, directory: Path) -> Line:
    """A line whose emitter is the worker of a real tracking.events."""
    line = Line.make(kafka, prefix, clickhouse_settings(clickhouse, database), directory)
    line.emitter.topic_id = topic_id(kafka, physical_name(line.kafka, EVENTS))
    return line


def emit_some(line: Line, records: int = 6) -> None:
    with closing(KafkaProducer(bootstrap_servers=line.kafka.bootstrap)) as producer:
        for number in range(records):
            producer.send(physical_name(line.kafka, EVENTS), b"", partition=number % 2)
            line.emitter.emit(number % 2, 15, relabels=3, rejects=1)
        producer.flush(30)
    line.emitter.flush()


def run(line: Line, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command as a person types it, with the settings of the line."""
    environment = {
        "SENDTRAIL_KAFKA_BOOTSTRAP": line.kafka.bootstrap,
        "SENDTRAIL_KAFKA_TOPIC_PREFIX": line.kafka.topic_prefix,
        "SENDTRAIL_KAFKA_PARTITIONS": str(PARTITIONS),
        "SENDTRAIL_CLICKHOUSE_ADDRESS": line.clickhouse.address,
        "SENDTRAIL_CLICKHOUSE_USER": line.clickhouse.user,
        "SENDTRAIL_CLICKHOUSE_PASSWORD": line.clickhouse.secret(),
        "SENDTRAIL_CLICKHOUSE_DATABASE": line.clickhouse.database,
        "SENDTRAIL_LOADER_ADDRESSES": "full",
    }
    return subprocess.run(
        [SENDTRAIL, *arguments], cwd=line.directory, env=os.environ | environment, capture_output=True, text=True,
        timeout=240, check=False,
    )  # fmt: skip


def test_a_back_up_that_is_put_back(
    kafka: str, topic_prefix: str, make_engine: Callable[[], Engine], tmp_path: Path
) -> None:
    """The loader, which runs all the time, stops and names commands; they are run as they are, and it goes on."""
    engine = make_engine()
    line = make_line(kafka, topic_prefix, ClickHouse.of(engine), "tracking", tmp_path)
    try:
        emit_some(line)
        loader = line.loader()
        line.wait_loaded(120)
        engine.kill()
        shutil.copytree(engine.data_dir, tmp_path / "backup", symlinks=True)
        engine.start()
        engine.wait_ready()
        emit_some(line, 10)
        line.wait_loaded(120)
        engine.kill()
        shutil.rmtree(engine.data_dir)
        shutil.move(tmp_path / "backup", engine.data_dir)
        engine.start()
        engine.wait_ready()
        emit_some(line, 4)
        line.wait(lambda: loader.log_text().count("ClickHouse lost data") == 2, "both partitions stop", 120)
        commands = COMMAND.findall(loader.log_text())
        assert len(commands) == 2
        for command in commands:
            done = run(line, *shlex.split(command)[1:])
            assert done.returncode == 0, done.stdout + done.stderr
        line.wait_loaded(120)
        line.assert_ledger()
        assert "partition goes on" in loader.log_text()
        assert run(line, "verify").returncode == 0
    finally:
        line.close()


@pytest.fixture
def line(kafka: str, topic_prefix: str, clickhouse: ClickHouse, database: str, tmp_path: Path) -> Iterator[Line]:
    made = make_line(kafka, topic_prefix, clickhouse, database, tmp_path)
    yield made
    made.close()


def change(line: Line, *statements: str) -> None:
    with line.client() as client:
        for statement in statements:
            client.execute(statement, settings={"mutations_sync": 2, "insert_deduplicate": 0})


def replay_all(
    line: Line, spans: dict[int, Span] | None = None, dry_run: bool = False, stop_after: int = 99
) -> Outcome:
    """Replay in small pieces; stops as if killed after some of them."""
    pieces = 0

    def count(done: int) -> None:
        nonlocal pieces
        pieces += 1
        if pieces > stop_after:
            raise KeyboardInterrupt

    with line.client() as client:
        found = standings(line.kafka, client)
        slices = [Slice(found[n], span) for n, span in spans.items()] if spans else lost(found)
        tools = Tools(line.kafka, line.clickhouse, client, NOBODY_ERASED, IN_FULL)
        return replay(tools, slices, count, dry_run=dry_run)


def test_rows_that_are_gone_are_made_again(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every table, in the middle and at the end, in several runs that are cut off."""
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 40)
    emit_some(line, 12)
    loader = line.loader()
    line.wait_loaded(120)
    assert loader.terminate() == 0
    line.assert_ledger()
    change(
        line,
        "ALTER TABLE events DELETE WHERE cityHash64(event_id) % 3 = 0",
        "ALTER TABLE rejects DELETE WHERE src_offset % 2 = 0",
        "ALTER TABLE audit DELETE WHERE src_partition = 1 AND src_offset IN (1, 2) OR src_offset > 3",
        "TRUNCATE TABLE url_activity",
    )
    with line.client() as client:
        found = standings(line.kafka, client)
    assert [one.lost for one in found] == [Span(4, 5), Span(4, 5)]
    assert [one.holes for one in found] == [(), (Span(1, 2),)]
    whole = {0: Span(0, 5), 1: Span(0, 5)}
    told = replay_all(line, whole, dry_run=True)
    assert told.rows["audit"] == 6
    assert told.rows["events"] > 0
    with pytest.raises(KeyboardInterrupt):
        replay_all(line, whole, stop_after=2)
    assert replay_all(line, whole).rows["events"] > 0
    line.assert_ledger()
    again = replay_all(line, whole)
    assert (again.rows, again.keys) == ({"events": 0, "rejects": 0, "audit": 0}, 0)
    line.loader()
    emit_some(line)
    line.wait_loaded(120)
    line.assert_ledger()


def test_what_kafka_has_no_more_is_named(line: Line) -> None:
    emit_some(line, 12)
    loader = line.loader()
    line.wait_loaded(120)
    assert loader.terminate() == 0
    change(line, "TRUNCATE TABLE audit", "TRUNCATE TABLE events")
    at = TopicPartition(physical_name(line.kafka, ENRICHED), 0)
    with closing(admin_client(line.kafka.bootstrap)) as admin:
        admin.delete_records({at: 3})
    done = run(line, "replay", "--lost", "--table", "events", "--table", "audit")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "partition 0: source offsets 0 to 2 are not in tracking.enriched any more" in done.stderr
    assert "sendtrail chain repair --partition 0 --from 0" in done.stderr
    with line.client() as client:
        assert client.execute("SELECT count() FROM audit") == [(0,)]
    for offset in range(6):
        line.emitter.repeat(0, offset)  # a worker that was set back enriches all from there on
    line.emitter.flush()
    assert run(line, "replay", "--lost").returncode == 0
    line.assert_ledger()
    nothing = {at: 12, TopicPartition(physical_name(line.kafka, EVENTS), 0): 6}
    with closing(admin_client(line.kafka.bootstrap)) as admin:
        admin.delete_records(nothing)
    change(line, "ALTER TABLE audit DELETE WHERE src_partition = 0")
    done = run(line, "replay", "--lost")
    assert done.returncode == 1
    assert "source offsets 0 to 5 can't be restored" in done.stderr
    done = run(line, "chain", "accept-gap", "--partition", "0", "--reason", "too late", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "accepted: source offsets 0 to 5 of partition 0 (6 records) are lost" in done.stdout
    line.loader()
    emit_some(line)
    line.wait_loaded(120)
    line.assert_ledger(records=6 + 1 + 6)
