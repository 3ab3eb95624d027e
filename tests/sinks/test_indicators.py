"""`indicators`: what the refreshable view keeps equals the live query, and only what changed is calculated again."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from clickhouse_driver import Client

from sinks.stored import ClickHouseLookup
from tests.support.line import scratch
from tests.support.stack import ClickHouse
from tests.support.tracked import event, load, record, relabel
from tests.support.traffic import Traffic

pytestmark = pytest.mark.stack

WAIT_S = 60.0
TABLES = ("touched", "message_state", "message_activity", "person_activity", "url_activity", "transactions")


@pytest.fixture(scope="module")
def client(clickhouse: ClickHouse) -> Iterator[Client]:
    with scratch(clickhouse) as client:
        yield client


@pytest.fixture
def still(client: Client) -> Iterator[Client]:
    """The same with the refreshes stopped, so that what is due can be looked at."""
    client.execute("SYSTEM STOP VIEW indicators_refresh")
    yield client
    client.execute("SYSTEM START VIEW indicators_refresh")


def kept(client: Client) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = client.execute(
        "SELECT * EXCEPT calculated FROM indicators FINAL ORDER BY delivery_id"
    )
    return found


def live(client: Client) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = client.execute("SELECT * FROM indicators_live ORDER BY delivery_id")
    return found


def due(client: Client) -> set[int]:
    return {delivery for (delivery,) in client.execute("SELECT delivery_id FROM indicators_due")}


def wait_until_equal(client: Client) -> None:
    deadline = time.monotonic() + WAIT_S
    while kept(client) != live(client) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert kept(client) == live(client)


def test_refreshed_numbers_are_the_live_ones(client: Client) -> None:
    """Also after a re-label, which takes numbers back."""
    lookup = ClickHouseLookup(client)
    load(client, Traffic(3, (1, 2, 2**64 - 1), 10, 6, 20).records, lookup, "traffic")
    wait_until_equal(client)
    click = event(kind="click", delivery=1, message=999)
    load(client, [record(100, [click])], lookup, "click")
    wait_until_equal(client)
    load(client, [record(101, [relabel(click, "machine", new_repeat=True)])], lookup, "relabel")
    wait_until_equal(client)


def test_both_have_the_same_columns(client: Client) -> None:
    _, stored = client.execute("SELECT * EXCEPT calculated FROM indicators LIMIT 0", with_column_types=True)
    _, computed = client.execute("SELECT * FROM indicators_live LIMIT 0", with_column_types=True)
    assert stored == computed


@pytest.mark.parametrize("condition", ["= 7", "IN (7, 9)", "IN (SELECT delivery_id FROM deliveries)"])
def test_a_condition_on_the_delivery_reaches_every_primary_key(client: Client, condition: str) -> None:
    load(client, Traffic(4, (7, 8, 9), 10, 2, 40).records, ClickHouseLookup(client), f"key {condition}")
    client.execute("INSERT INTO deliveries (delivery_id) VALUES", [(7,)])
    plan = client.execute(f"EXPLAIN indexes = 1 SELECT * FROM indicators_live WHERE delivery_id {condition}")
    reads = re.split(r"ReadFromMergeTree", " ".join(line for (line,) in plan))[1:]
    found = {match[1] for read in reads if (match := re.search(r"\.(\w+)\).*?PrimaryKey.*?delivery_id in", read))}
    assert found - {"deliveries"} == set(TABLES)


def test_only_what_was_touched_is_due(still: Client) -> None:
    lookup = ClickHouseLookup(still)
    load(still, [record(0, [event(delivery=101), event(delivery=102)])], lookup, "due")
    assert due(still) >= {101, 102}
    calculate(still, 101, "now64(3)")
    assert 101 not in due(still)
    load(still, [record(1, [event(delivery=101)])], lookup, "due again")
    assert 101 in due(still)


def test_a_delivery_is_looked_at_again_for_a_minute(still: Client) -> None:
    """An insert shows later than its `touched`: what was calculated in between is calculated once more."""
    for delivery, touched_s, calculated_s, expected in (
        (201, 20, 19, True),  # calculated right after it was touched, and not since
        (202, 20, 5, False),  # looked at again a moment ago
        (203, 90, 20, False),  # calculated more than a minute after it was touched
        (204, 5, 6, True),  # touched since
    ):
        still.execute(f"INSERT INTO touched SELECT {delivery}, now64(3) - {touched_s}")
        calculate(still, delivery, f"now64(3) - {calculated_s}")
        assert (delivery in due(still)) is expected, delivery


def test_large_deliveries_rest_between_calculations(still: Client) -> None:
    for delivery, calculated_s, expected in ((301, 5, False), (302, 12, True)):
        still.execute(f"INSERT INTO touched SELECT {delivery}, now64(3)")
        calculate(still, delivery, f"now64(3) - {calculated_s}", messages=300_000)
        assert (delivery in due(still)) is expected, delivery


def calculate(client: Client, delivery: int, at: str, messages: int = 1) -> None:
    """Pretend that a delivery was calculated then."""
    client.execute(f"INSERT INTO indicators (delivery_id, calculated, messages) SELECT {delivery}, {at}, {messages}")
