"""sendtrail verify's checks: equal on sound tables, and each kind of damage found, named and put right."""

from collections.abc import Iterator

import pytest
from clickhouse_driver import Client

from dashboards.queries import Queries
from sendtrail.cli.verifying import report_checks
from sendtrail.settings import Config, ReportSettings
from sinks import verify as checked
from sinks.verify import Check, Difference, checks, pieces, scope, verify
from tests.sinks.test_unknown import Collector, fill, load, plan_of
from tests.support.line import clickhouse_settings, scratch
from tests.support.loading import SOURCE_TOPIC_ID
from tests.support.stack import ClickHouse

pytestmark = pytest.mark.stack


@pytest.fixture
def client(clickhouse: ClickHouse) -> Iterator[Client]:
    """Tables with four records' events in them."""
    with scratch(clickhouse) as made:
        emitter = Collector("", "", SOURCE_TOPIC_ID)
        fill(emitter)
        load(made, *plan_of(made, emitter, 0, 4))
        yield made


def every(client: Client) -> dict[str, Check]:
    return checks(client) | report_checks(Queries(client, Config({}).section(ReportSettings)))


def run(clickhouse: ClickHouse, client: Client, repair: bool = False) -> tuple[list[Difference], int]:
    database = client.execute("SELECT currentDatabase()")[0][0]
    settings = clickhouse_settings(clickhouse, database)
    return verify(settings, client, every(client), scope(client).provable, repair=repair)


def test_sound_tables_are_equal_and_every_event_is_looked_at(clickhouse: ClickHouse, client: Client) -> None:
    rows = client.execute("SELECT count() FROM events")[0][0]
    looked_at = scope(client)
    assert sum(looked_at.provable.values()) == rows
    assert looked_at.not_provable == ()
    assert run(clickhouse, client) == ([], 0)


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        ("ALTER TABLE events DELETE WHERE event_id = {hit} SETTINGS mutations_sync = 2", "url_activity = events"),
        ("INSERT INTO message_activity SELECT * FROM message_activity LIMIT 1", "counts agree"),
        ("TRUNCATE TABLE message_state", "message_state = events"),
    ],
)
def test_damage_is_found_and_put_right(clickhouse: ClickHouse, client: Client, damage: str, found: str) -> None:
    hit = client.execute("SELECT hex(event_id) FROM events WHERE hit = 1 AND sign = 1 AND rev = 0 LIMIT 1")[0][0]
    client.execute(damage.format(hit=f"unhex('{hit}')"))
    differences, repaired = run(clickhouse, client)
    assert found in {difference.check for difference in differences}
    assert repaired == 0
    left, repaired = run(clickhouse, client, repair=True)
    assert left == []
    assert repaired > 0
    assert run(clickhouse, client) == ([], 0)


def test_indicators_that_say_something_else_are_named(clickhouse: ClickHouse, client: Client) -> None:
    assert run(clickhouse, client) == ([], 0)
    delivery = next(iter(scope(client).provable))
    client.execute("SYSTEM STOP VIEW indicators_refresh")
    client.execute(
        f"INSERT INTO indicators SELECT * REPLACE (total_click + 1 AS total_click, calculated + 1 AS calculated) "
        f"FROM indicators FINAL WHERE delivery_id = {delivery}"
    )
    differences, _ = run(clickhouse, client)
    assert [(one.delivery, one.check, one.detail) for one in differences] == [
        (delivery, "indicators = live", "total_click")
    ]


def test_indicators_that_are_not_calculated_are_missed(
    clickhouse: ClickHouse, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checked, "_CALCULATED_WITHIN_S", 0.1)
    client.execute("SYSTEM STOP VIEW indicators_refresh")
    client.execute("TRUNCATE TABLE indicators")
    differences, _ = run(clickhouse, client)
    assert {one.detail for one in differences} == {"never calculated"}
    assert {one.delivery for one in differences} == set(scope(client).provable)


def test_what_is_partly_older_than_events_are_kept_is_not_provable(client: Client) -> None:
    old, *others = scope(client).provable
    client.execute("ALTER TABLE events MODIFY TTL toDateTime(event_time) + toIntervalDay(30)")
    client.execute(
        "INSERT INTO stat_minute SELECT * REPLACE (minute - toIntervalDay(40) AS minute) "
        f"FROM stat_minute WHERE delivery_id = {old} LIMIT 1"
    )
    looked_at = scope(client)
    assert (list(looked_at.provable), looked_at.not_provable) == (others, (old,))
    client.execute("ALTER TABLE events MODIFY TTL toDateTime(event_time) + toIntervalDay(400)")
    assert scope(client).not_provable == ()


def test_only_some_deliveries_and_only_those_loaded_lately(client: Client) -> None:
    first, *others = scope(client).provable
    assert list(scope(client, only=[first]).provable) == [first]
    assert scope(client, only=[999]).provable == {999: 0}
    assert list(scope(client, since_ms=1).provable) == [first, *others]
    assert scope(client, since_ms=2**42).provable == {}


def test_deliveries_are_taken_in_pieces_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checked, "ROWS_AT_ONCE", 10)
    assert list(pieces({1: 3, 2: 3, 3: 5, 4: 30, 5: 1})) == [[1, 2], [3], [4], [5]]
    assert list(pieces({})) == []
