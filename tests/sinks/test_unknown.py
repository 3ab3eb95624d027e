"""What is put right after an insert whose outcome is not known: rows, merged rows, and every aggregate."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from clickhouse_driver import Client

from sinks.blocks import Blocks, LoadedRecord
from sinks.decode import offer
from sinks.partition import Partition
from sinks.places import TooMany, missing_rows
from sinks.plan import Plan, token
from sinks.recount import aggregates, differing
from sinks.rows import build
from sinks.stored import ClickHouseLookup
from sinks.unknown import deliveries_of, settle, settle_rows
from sinks.write import insert
from tests.support.enriched import Emitter
from tests.support.line import migrated
from tests.support.loading import SOURCE_TOPIC_ID
from tests.support.stack import ClickHouse

DELIVERIES = [1, 2, 3]


class Collector(Emitter):
    """An emitter without Kafka: what it would send is kept."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.collected: list[Any] = []

    def make_producer(self) -> Any:
        return None

    def send_raw(self, partition: int, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        record = SimpleNamespace(offset=len(self.collected), headers=headers, value=value, timestamp=1_790_000_000_000)
        self.collected.append(record)


@pytest.fixture
def client(clickhouse: ClickHouse, database: str) -> Iterator[Client]:
    with migrated(clickhouse, database) as made:
        yield made


@pytest.fixture
def emitter() -> Collector:
    return Collector("", "", SOURCE_TOPIC_ID)


def plan_of(client: Client, emitter: Collector, first: int, end: int) -> tuple[Plan, Blocks]:
    partition: Partition[LoadedRecord] = Partition(SOURCE_TOPIC_ID, first - 1, first)
    for record in emitter.collected[first:end]:
        offer(partition, 0, record, 0.0)
    share = partition.take(len(partition.entries))
    return Plan(SOURCE_TOPIC_ID, "log", {0: share.range}), build(share.records, ClickHouseLookup(client))


def load(client: Client, plan: Plan, blocks: Blocks) -> None:
    for block in (blocks.events, blocks.rejects, blocks.audit):
        if block.rows:
            insert(client, block, token(block.table, plan))


def assert_whole(client: Client, emitter: Collector) -> None:
    rows = client.execute(
        "SELECT lower(hex(event_id)), any(delivery_id), argMax(class, rev) FROM events "
        "GROUP BY event_id HAVING sum(sign) = 1"
    )
    assert {event_id: (delivery, class_) for event_id, delivery, class_ in rows} == emitter.events
    assert client.execute("SELECT count() FROM rejects") == [(emitter.rejects,)]
    for aggregate in aggregates(client):
        assert differing(client, aggregate, DELIVERIES) == 0


def fill(emitter: Collector, records: int = 4) -> None:
    for _ in range(records):
        emitter.emit(0, 25, relabels=6, rejects=2)


def test_a_plan_that_is_whole_lacks_nothing(client: Client, emitter: Collector) -> None:
    fill(emitter)
    plan, blocks = plan_of(client, emitter, 0, 4)
    load(client, plan, blocks)
    assert settle(client, plan, blocks) == (0, 0)
    client.execute("OPTIMIZE TABLE events FINAL")  # what cancels out is merged away
    assert settle(client, plan, blocks) == (0, 0)
    assert_whole(client, emitter)


@pytest.mark.parametrize("kept", [0, 1, 50, 120])
def test_rows_that_are_missing_are_inserted(client: Client, emitter: Collector, kept: int) -> None:
    fill(emitter, 2)
    earlier = plan_of(client, emitter, 0, 2)
    load(client, *earlier)
    fill(emitter)
    plan, blocks = plan_of(client, emitter, 2, 6)
    part = blocks.events._replace(data=[values[:kept] for values in blocks.events.data], rows=kept)
    if kept:
        insert(client, part, "some of it")
    client.execute("OPTIMIZE TABLE events FINAL")
    repaired = settle(client, plan, blocks)
    assert repaired.rows > 0
    assert settle(client, plan, blocks) == (0, 0)
    assert_whole(client, emitter)


def test_a_re_label_of_which_only_one_sign_is_there(client: Client, emitter: Collector) -> None:
    fill(emitter, 2)
    load(client, *plan_of(client, emitter, 0, 2))
    emitter.emit(0, 0, relabels=8)
    plan, blocks = plan_of(client, emitter, 2, 3)
    signs = blocks.events.data[blocks.events.columns.index("sign")]
    for sign in (1, -1):
        some = [index for index, each in enumerate(signs) if each == sign][:3]
        data = [[values[index] for index in some] for values in blocks.events.data]
        insert(client, blocks.events._replace(data=data, rows=len(some)), f"only {sign}")
        client.execute("OPTIMIZE TABLE events FINAL")
    assert settle_rows(client, plan, blocks) == len(signs) - 6 + blocks.audit.rows
    assert settle(client, plan, blocks) == (0, 0)
    assert_whole(client, emitter)


@pytest.mark.parametrize("damage", ["TRUNCATE TABLE {}", "INSERT INTO {0} SELECT * FROM {0}"])
def test_aggregates_become_what_a_recount_says(client: Client, emitter: Collector, damage: str) -> None:
    fill(emitter)
    plan, blocks = plan_of(client, emitter, 0, 4)
    load(client, plan, blocks)
    for aggregate in aggregates(client):
        client.execute(
            damage.format(aggregate.target), settings={"insert_deduplicate": 0, "deduplicate_insert": "disable"}
        )
    assert settle(client, plan, blocks).keys > 0
    assert settle(client, plan, blocks) == (0, 0)
    assert_whole(client, emitter)


def test_rejects_and_audit_are_repaired_too(client: Client, emitter: Collector) -> None:
    fill(emitter)
    plan, blocks = plan_of(client, emitter, 0, 4)
    load(client, plan, blocks)
    client.execute("TRUNCATE TABLE rejects")
    client.execute("TRUNCATE TABLE audit")
    assert settle_rows(client, plan, blocks) == blocks.rejects.rows + blocks.audit.rows
    assert client.execute("SELECT count() FROM audit") == [(4,)]
    assert_whole(client, emitter)


def test_more_rows_than_belong_are_an_alarm(client: Client, emitter: Collector) -> None:
    fill(emitter, 1)
    plan, blocks = plan_of(client, emitter, 0, 1)
    load(client, plan, blocks)
    insert(client, blocks.audit, "again")
    with pytest.raises(TooMany, match="audit holds 2 rows"):
        missing_rows(client, blocks.audit, plan.topic_id)


def test_deliveries_are_those_of_the_rows(client: Client, emitter: Collector) -> None:
    fill(emitter)
    _, blocks = plan_of(client, emitter, 0, 4)
    assert deliveries_of(blocks.events) == DELIVERIES
    assert deliveries_of(blocks.events._replace(rows=0)) == []
