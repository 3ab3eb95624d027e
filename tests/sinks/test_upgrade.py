"""From the tables and the rows of an earlier release to this one, with a plan left open by its loader.

tests/golden/upgrade was made by the code of commit 385dc27 (migrations up to 0040) and stays as it is: its statements
with their checksums, eight enriched records, the blocks its mapping made of them in three plans (but for the time that
Kafka gives a record), the intent of the third, and what each event is in the end.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client
from kafka import OffsetAndMetadata, TopicPartition
from msgspec import structs

from sendtrail.clickhouse import connect
from sinks.blocks import Block
from sinks.consume import enriched_id
from sinks.migrate import pending
from sinks.plan import CommitMetadata, Plan, decode_metadata, encode_metadata, plan_of, token
from sinks.verify import checks, scope, verify
from sinks.write import insert
from tests.support.golden import GOLDEN
from tests.support.line import clickhouse_settings
from tests.support.loading import Line
from tests.support.stack import ClickHouse

pytestmark = pytest.mark.stack

FROZEN = GOLDEN / "upgrade"
OLD: dict[str, Any] = json.loads((FROZEN / "line.json").read_text())
SCHEMA: list[dict[str, str]] = json.loads((FROZEN / "schema.json").read_text())
RECORDS = len(OLD["records"])


@pytest.fixture
def line(kafka: str, topic_prefix: str, clickhouse: ClickHouse, database: str, tmp_path: Path) -> Iterator[Line]:
    settings = clickhouse_settings(clickhouse, database)
    made = Line.make(kafka, topic_prefix, settings, tmp_path, tables=False)
    yield made
    made.close()


def as_it_was(line: Line, done: dict[int, int]) -> Plan:
    """The earlier release's line: tables, records, plans; `done`: how many blocks of each plan were inserted.

    Returns the last plan, whose intent is committed.
    """
    log_times = emit(line)
    intent = intent_of(line)
    with connect(line.clickhouse) as client:
        for step in SCHEMA:
            client.execute(step["statement"].replace("{database}", line.clickhouse.database))
            client.execute("INSERT INTO migrations (name, checksum, applied) VALUES", [
                (step["name"], step["checksum"], 1_790_000_000)
            ])  # fmt: skip
        for number, each in enumerate(OLD["plans"]):
            plan = Plan(intent.topic, intent.log, {0: (each["first"], each["end"])})
            for told in each["blocks"][: done[number]]:
                insert(client, block_of(told, log_times), token(told["table"], plan))
    commit = OffsetAndMetadata(OLD["plans"][-1]["first"], encode_metadata(intent), -1)
    line.commits.commit({TopicPartition(line.emitter.topic, 0): commit})
    opened = plan_of(intent)
    assert opened is not None
    return opened


def intent_of(line: Line) -> CommitMetadata:
    intent = decode_metadata(OLD["intent"].replace("LOG", enriched_id(line.kafka)))
    assert isinstance(intent, CommitMetadata)
    return intent


def emit(line: Line) -> list[int]:
    """Send the records; returns the time that Kafka gave each."""
    sent = [
        line.emitter.producer.send(
            line.emitter.topic, record["value"].encode(), partition=0,
            headers=[(name, value.encode()) for name, value in record["headers"]],
        )
        for record in OLD["records"]
    ]  # fmt: skip
    line.emitter.flush()
    return [future.get(30).timestamp for future in sent]


def block_of(told: dict[str, Any], log_times: list[int]) -> Block:
    columns = dict(zip(told["columns"], told["data"], strict=True))
    columns["log_time"] = [log_times[offset] for offset in columns["src_offset"]]
    if "event_id" in columns:
        columns["event_id"] = list(map(bytes.fromhex, columns["event_id"]))
    return Block(told["table"], tuple(columns), list(columns.values()), told["rows"])


def stored(client: Client) -> list[list[Any]]:
    rows = client.execute("SELECT lower(hex(event_id)), class, repeat, hit FROM events FINAL WHERE sign = 1")
    return sorted(map(list, rows))


@pytest.mark.parametrize("inserted", [0, 1, 2], ids=["nothing", "events", "events and audit"])
def test_the_next_release_migrates_finishes_the_plan_and_goes_on(line: Line, inserted: int) -> None:
    """The loader is started first and waits for the tables; streams emit all the while."""
    as_it_was(line, {0: 2, 1: 2, 2: inserted})
    loader = line.loader()
    line.wait(lambda: "not applied yet; run: sendtrail migrate" in loader.log_text(), "the loader asks for migrations")
    line.emitter.topic_id = intent_of(line).topic
    line.emitter.next_offset[0] = RECORDS
    line.emitter.emit(0, 30)
    line.migrate()
    line.emitter.emit(0, 30, relabels=5)
    line.emitter.flush()
    line.wait_loaded()
    with line.client() as client:
        assert pending(client, line.clickhouse) == []
        new = line.emitter.events
        assert [row for row in stored(client) if row[0] not in new] == OLD["expected"]
        assert len(stored(client)) == len(OLD["expected"]) + len(new)
        assert client.execute("SELECT count(), uniqExact(src_offset) FROM audit") == [(RECORDS + 2, RECORDS + 2)]
        assert is_clean(line, client)
    assert loader.terminate() == 0


def is_clean(line: Line, client: Client) -> bool:
    """What sendtrail verify says, once the numbers of every delivery are calculated."""
    found, _ = verify(line.clickhouse, client, checks(client), scope(client).provable)
    deadline = time.monotonic() + 60
    while found and {each.check for each in found} == {"indicators = live"} and time.monotonic() < deadline:
        time.sleep(0.5)
        found, _ = verify(line.clickhouse, client, checks(client), scope(client).provable)
    assert found == []
    return True


def test_an_intent_of_a_mapping_this_release_lacks_stops_and_says_what_helps(line: Line) -> None:
    plan = as_it_was(line, {0: 2, 1: 2, 2: 1})
    line.migrate()
    foreign = encode_metadata(structs.replace(intent_of(line), map=2))
    key = TopicPartition(line.emitter.topic, 0)
    line.commits.commit({key: OffsetAndMetadata(plan.ranges[0][0], foreign, -1)})
    loader = line.loader()
    line.wait(lambda: "partition stopped" in loader.log_text(), "the partition stops")
    assert "mapping is version 2" in loader.log_text()
    assert "start the release that made it until its plan is committed" in loader.log_text()
    assert line.has_intent(0)
