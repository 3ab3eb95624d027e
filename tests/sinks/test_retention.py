"""TTLs follow the settings, take what is old and nothing else, and what no TTL can tell is swept."""

from collections.abc import Iterator

import pytest
from clickhouse_driver import Client

from sendtrail.settings import ClickHouseSettings, RetentionSettings
from sinks import retention
from sinks.verify import scope
from tests.support.line import clickhouse_settings, scratch
from tests.support.stack import ClickHouse

pytestmark = pytest.mark.stack

KEPT = RetentionSettings()
OLD, NEW = "now64(3) - toIntervalDay(500)", "now64(3)"


@pytest.fixture(scope="module")
def client(clickhouse: ClickHouse) -> Iterator[Client]:
    with scratch(clickhouse) as made:
        yield made


@pytest.fixture
def settings(clickhouse: ClickHouse, client: Client) -> ClickHouseSettings:
    return clickhouse_settings(clickhouse, client.execute("SELECT currentDatabase()")[0][0])


def test_a_change_takes_effect_once_and_is_said(client: Client, settings: ClickHouseSettings) -> None:
    said = [change.said for change in retention.apply(client, settings, KEPT)]
    assert said[0] == "table events keeps rows 400 days from now on, before: for ever"
    assert [change.table for change in retention.changes(client, settings, KEPT)] == []
    longer = KEPT.model_copy(update={"events_days": 500, "rejects_days": 0})
    assert [change.said for change in retention.apply(client, settings, longer)] == [
        "table events keeps rows 500 days from now on, before: 400 days",
        "table rejects keeps rows for ever from now on, before: 30 days",
    ]
    assert len(retention.apply(client, settings, KEPT)) == 2
    assert scope(client).not_provable == ()  # the days are read from the table


def test_old_events_go_and_what_is_to_stay_stays(client: Client, settings: ClickHouseSettings) -> None:
    retention.apply(client, settings, KEPT)
    rows = [  # number, kind, how, event time, log time, late
        (1, "open", "", OLD, OLD, 0), (2, "open", "", OLD, NEW, 1), (3, "open", "", NEW, NEW, 0),
        (4, "bounced", "", OLD, OLD, 0), (5, "optout", "one_click", OLD, OLD, 0), (6, "optout", "view", OLD, OLD, 0),
    ]  # fmt: skip
    for number, kind, how, event_time, log_time, late in rows:
        client.execute(
            "INSERT INTO events (delivery_id, event_id, sign, kind, how, hit, class, recipient_key, message_id, "
            f"event_time, log_time, marks) SELECT 1, toFixedString('{number}', 16), 1, '{kind}', '{how}', "
            f"{int(kind != 'bounced')}, 'human', 7, {number}, {event_time}, {log_time}, {late}"
        )  # fmt: skip
    client.execute("OPTIMIZE TABLE events FINAL")
    left = client.execute("SELECT trimRight(toString(event_id), '\\0') FROM events ORDER BY event_id")
    assert [number for (number,) in left] == ["2", "3", "4", "5"]
    assert client.execute("SELECT sum(n) FROM url_activity") == [(5,)]  # aggregates are for ever
    assert scope(client).not_provable == (1,)

    assert retention.sweep(client, settings, KEPT) == {"recipient_activity": 2}  # 1 and 6 went with their events
    assert retention.sweep(client, settings, KEPT) == {}


def test_of_the_audit_the_newest_of_each_partition_stays(client: Client, settings: ClickHouseSettings) -> None:
    for partition, offset, log_time in ((0, 1, OLD), (0, 2, OLD), (1, 1, OLD), (1, 2, NEW)):
        client.execute(
            "INSERT INTO audit (src_topic, src_partition, src_offset, log_time) "
            f"SELECT 't', {partition}, {offset}, {log_time}"
        )
    assert retention.sweep(client, settings, KEPT) == {"audit": 2}
    assert client.execute("SELECT src_partition, src_offset FROM audit ORDER BY 1") == [(0, 2), (1, 2)]


def test_what_a_sweep_takes_is_settled_where_it_begins(client: Client, settings: ClickHouseSettings) -> None:
    """Replicas would look at their clocks at different times."""
    client.execute(f"INSERT INTO purged_events (src_topic, counted) SELECT 't', {OLD}")
    assert retention.sweep(client, settings, KEPT) == {"purged_events": 1}
    ((command,),) = client.execute(
        "SELECT command FROM system.mutations WHERE database = currentDatabase() AND table = 'purged_events'"
    )
    assert "DELETE WHERE counted < " in command
    assert "now" not in command


def test_every_table_with_a_retention_is_said_to_have_it() -> None:
    kept = {ttl.table for ttl in retention.ttls(KEPT)} | {table for _, table, _ in retention.sweeps(KEPT)}
    assert all(retention.words(table, KEPT) for table in kept)
    assert retention.words("url_activity", KEPT) == ""
