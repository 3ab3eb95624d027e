"""Deleted deliveries: hidden, to be had back, purged without a trace; the audit stays even."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from clickhouse_driver import Client

from dashboards.queries import Queries
from sendtrail.removal.deletions import RemovalError, delete, deletions, restore
from sendtrail.settings import Config, ReportSettings
from sinks import mutations, purge
from sinks.queries import query
from tests.sinks.test_unknown import Collector, fill, load, plan_of
from tests.support.line import clickhouse_settings, scratch
from tests.support.loading import SOURCE_TOPIC_ID
from tests.support.stack import ClickHouse

pytestmark = pytest.mark.stack

VIEWS = (
    "v_deliveries", "v_events", "v_messages", "v_indicators", "v_clicks_by_url", "v_hits_by_minute", "v_breakdown",
    "v_transactions", "v_recipient_activity",
)  # fmt: skip
DAY_MS = 86_400_000


class Forgotten(list[purge.Gone]):
    """What was to be forgotten outside ClickHouse."""

    def __call__(self, gone: Sequence[purge.Gone]) -> None:
        self.extend(gone)


@pytest.fixture(scope="module")
def emitter() -> Collector:
    """Six records of events."""
    made = Collector("", "", SOURCE_TOPIC_ID)
    fill(made, 6)
    return made


@pytest.fixture(scope="module")
def client(clickhouse: ClickHouse, emitter: Collector) -> Iterator[Client]:
    """Tables with four records' events of three deliveries in them: 1 for the first tests, 2 and 3 for one each."""
    with scratch(clickhouse) as made:
        load(made, *plan_of(made, emitter, 0, 4))
        made.execute("SYSTEM REFRESH VIEW indicators_refresh")
        made.execute("SYSTEM WAIT VIEW indicators_refresh")
        yield made


def settings_of(clickhouse: ClickHouse, client: Client) -> Any:
    return clickhouse_settings(clickhouse, client.execute("SELECT currentDatabase()")[0][0])


def registered(client: Client, delivery: int) -> int:
    """A delivery of the tables, with a name and a link."""
    client.execute(
        "INSERT INTO deliveries (delivery_id, name, label, updated) VALUES", [(delivery, "spring", "Spring", 1)]
    )
    client.execute(
        "INSERT INTO delivery_urls (delivery_id, url_id, url, updated) VALUES", [(delivery, 7, "https://x", 1)]
    )
    return delivery


def shown(client: Client) -> dict[str, list[Any]]:
    """What every view shows."""
    return {view: sorted(map(repr, client.execute(f"SELECT * FROM {view}"))) for view in VIEWS}


def rows_of(client: Client, delivery: int) -> dict[str, int]:
    """How many rows every table has of a delivery."""
    return {
        table: count
        for table in mutations.tables_of_deliveries(client)
        if (count := client.execute(f"SELECT count() FROM {table} WHERE delivery_id = {delivery}")[0][0])
    }


def test_hidden_at_once_everywhere_and_as_before_once_restored(client: Client) -> None:
    delivery = registered(client, 1)
    before = shown(client)
    queries = Queries(client, Config({}).section(ReportSettings))
    assert len(queries.rows("registry", keys=[delivery], names=[])) == 1

    deleted = delete(client, delivery, "me", 7)
    assert (deleted.state, deleted.title) == ("deleted", "Spring")
    for view in VIEWS:
        assert client.execute(f"SELECT count() FROM {view} WHERE delivery_id = {delivery}") == [(0,)], view
    queries = Queries(client, Config({}).section(ReportSettings))
    assert queries.rows("registry", keys=[delivery], names=[]) == []
    assert queries.rows("registry", keys=[], names=["spring"]) == []
    assert Queries(client, queries.settings, hidden=True).rows("registry", keys=[delivery], names=[])

    assert delete(client, delivery, "again", 7) == deleted
    assert restore(client, delivery, "me").state == "restored"
    assert restore(client, delivery, "me").state == "restored"
    assert shown(client) == before


def test_what_can_not_be_deleted_or_restored(client: Client) -> None:
    with pytest.raises(RemovalError, match="no delivery with key 999"):
        delete(client, 999, "me", 7)
    with pytest.raises(RemovalError, match="was not deleted"):
        restore(client, 999, "me")
    delivery = registered(client, 2)
    now_ms = time.time_ns() // 1_000_000
    delete(client, delivery, "me", 7)
    assert purge.due(client, now_ms + 6 * DAY_MS) == []
    with pytest.raises(RemovalError, match="could be had back until"):
        restore(client, delivery, "me", now_ms + 8 * DAY_MS)
    assert purge.due(client, now_ms + 8 * DAY_MS) == [delivery]


def test_purged_is_nowhere_and_the_audit_is_even(clickhouse: ClickHouse, client: Client, emitter: Collector) -> None:
    delivery = registered(client, 1)
    others = client.execute(f"SELECT sum(sign) FROM events WHERE delivery_id != {delivery}")
    events = client.execute(f"SELECT sum(sign) FROM events WHERE delivery_id = {delivery}")[0][0]
    client.execute(
        "INSERT INTO rejects (src_topic, reason, original, log_time) VALUES",
        [("t", "bad_field", f'{{"d":{delivery},"k":"open"}}', 1), ("t", "bad_field", f'{{"d":{delivery}1}}', 1)],
    )
    delete(client, delivery, "me", 0)
    forgotten, settings = Forgotten(), settings_of(clickhouse, client)
    assert purge.purge(client, settings, purge.due(client), forgotten) == 1

    assert [(one.deletion.delivery, one.links) for one in forgotten] == [(delivery, (7,))]
    assert rows_of(client, delivery) == {}
    assert client.execute("SELECT sum(sign) FROM events") == others
    assert client.execute("SELECT sum(events) FROM purged_events FINAL") == [(events,)]
    assert client.execute("SELECT count() FROM rejects WHERE original = ''") == [(1,)]
    (left,) = deletions(client, [delivery])
    assert (left.state, left.name, left.label) == ("purged", "", "")
    with pytest.raises(RemovalError, match="nothing of it is left"):
        restore(client, delivery, "me")

    load(client, *plan_of(client, emitter, 4, 6))  # late hits
    assert purge.come_back(client) == [delivery]
    assert client.execute(f"SELECT count() FROM v_events WHERE delivery_id = {delivery}") == [(0,)]
    purge.purge(client, settings, [delivery], forgotten)
    assert rows_of(client, delivery) == {}
    assert purge.come_back(client) == []
    assert watched(client) == 0


def test_a_round_that_was_killed_counts_once(clickhouse: ClickHouse, client: Client) -> None:
    delivery = registered(client, 3)
    purged = client.execute("SELECT sum(events) FROM purged_events FINAL")[0][0]
    events = client.execute(f"SELECT sum(sign) FROM events WHERE delivery_id = {delivery}")[0][0]
    delete(client, delivery, "me", 0)
    settings, forgotten = settings_of(clickhouse, client), Forgotten()
    client.execute(query("purge_count"), {"deliveries": [delivery]})  # … and no further
    client.execute(query("purge_count"), {"deliveries": [delivery]})
    mutations.begin(client, settings, [("events", f"DELETE WHERE delivery_id IN ({delivery})")])  # … or so far
    purge.purge(client, settings, purge.due(client), forgotten)
    assert client.execute("SELECT sum(events) FROM purged_events FINAL") == [(purged + events,)]
    assert rows_of(client, delivery) == {}


def watched(client: Client) -> int:
    """What the audit's own look finds: rows that are gone, purged ones apart."""
    stored = client.execute("SELECT sum(arraySum(stored)) FROM audit")[0][0]
    rows = client.execute("SELECT sum(sign) FROM events")[0][0]
    purged = client.execute("SELECT sum(events) FROM purged_events FINAL")[0][0]
    return int(stored - rows - purged)
