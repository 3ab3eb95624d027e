"""Aggregates made anew from events: whatever was done to them, they equal a recount, and later inserts go on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from clickhouse_driver import Client

from sendtrail.settings import LoaderSettings
from sinks.rebuild import rebuild
from sinks.recount import Aggregate, aggregates, differing, surplus
from sinks.verify import scope
from tests.sinks.test_unknown import DELIVERIES, Collector, assert_whole, fill, load, plan_of
from tests.support.line import clickhouse_settings, migrated
from tests.support.loading import SOURCE_TOPIC_ID
from tests.support.stack import ClickHouse

WINDOW = LoaderSettings.model_fields["dedup_window"].default


@pytest.fixture
def emitter() -> Collector:
    return Collector("", "", SOURCE_TOPIC_ID)


@pytest.fixture
def client(clickhouse: ClickHouse, database: str) -> Iterator[Client]:
    with migrated(clickhouse, database) as made:
        yield made


def named(client: Client, target: str) -> Aggregate:
    return next(aggregate for aggregate in aggregates(client) if aggregate.target == target)


def test_every_aggregate_is_made_anew(
    client: Client, clickhouse: ClickHouse, database: str, emitter: Collector
) -> None:
    """Emptied, doubled, with states that never were and rows too many; a dry run says so and changes nothing."""
    settings = clickhouse_settings(clickhouse, database)
    fill(emitter)
    load(client, *plan_of(client, emitter, 0, 4))
    client.execute("OPTIMIZE TABLE events FINAL")
    looked_at = scope(client)
    assert all(surplus(client, one, DELIVERIES) == 0 for one in aggregates(client))
    unsafe = {"insert_deduplicate": 0}
    client.execute("TRUNCATE TABLE stat_minute")
    client.execute("INSERT INTO url_activity SELECT * FROM url_activity", settings=unsafe)
    client.execute(
        "INSERT INTO message_state (delivery_id, message_id, last) SELECT delivery_id, message_id, last + 1000 "
        "FROM message_state WHERE last > 0", settings=unsafe,
    )  # fmt: skip
    client.execute(
        "INSERT INTO recipient_activity SELECT * REPLACE (unhex(repeat('ab', 16)) AS event_id) FROM recipient_activity",
        settings=unsafe,
    )
    for target in ("stat_minute", "url_activity", "message_state", "recipient_activity"):
        aggregate = named(client, target)
        told = rebuild(settings, client, aggregate, looked_at, WINDOW, dry_run=True)
        assert told > 0
        assert rebuild(settings, client, aggregate, looked_at, WINDOW) == told, target
        assert rebuild(settings, client, aggregate, looked_at, WINDOW) == 0, target
    fill(emitter)
    load(client, *plan_of(client, emitter, 4, 8))
    assert_whole(client, emitter)
    assert all(surplus(client, one, DELIVERIES) == 0 for one in aggregates(client))
    assert all(differing(client, one, DELIVERIES) == 0 for one in aggregates(client))
    tables = [name for (name,) in client.execute("SHOW TABLES")]
    assert not [name for name in tables if name.endswith("_replayed")]


def test_what_events_keep_no_more_stays(
    client: Client, clickhouse: ClickHouse, database: str, emitter: Collector
) -> None:
    """Of a delivery whose events are gone, the rows of an aggregate are copied when the table is made anew."""
    settings = clickhouse_settings(clickhouse, database)
    fill(emitter)
    load(client, *plan_of(client, emitter, 0, 4))
    client.execute("ALTER TABLE events DELETE WHERE delivery_id = 3", settings={"mutations_sync": 2})
    kept = client.execute("SELECT * FROM message_state FINAL WHERE delivery_id = 3 ORDER BY message_id")
    assert kept
    client.execute(
        "INSERT INTO message_state (delivery_id, message_id, last) SELECT 1, message_id, last + 1000 "
        "FROM message_state WHERE last > 0 AND delivery_id = 1", settings={"insert_deduplicate": 0},
    )  # fmt: skip
    found = scope(client)
    looked_at = found._replace(provable={d: rows for d, rows in found.provable.items() if d != 3}, not_provable=(3,))
    assert rebuild(settings, client, named(client, "message_state"), looked_at, WINDOW) > 0
    assert client.execute("SELECT * FROM message_state FINAL WHERE delivery_id = 3 ORDER BY message_id") == kept
    assert surplus(client, named(client, "message_state"), [1, 2]) == 0
