"""Aggregates equal a count of the events one by one: re-labels, repeats, seeds, insert retries, merges and all."""

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from clickhouse_driver import Client

from sendtrail.events import HITS
from sinks.rows import build
from sinks.stored import ClickHouseLookup
from sinks.write import insert
from tests.support import recount
from tests.support.line import scratch
from tests.support.stack import ClickHouse
from tests.support.traffic import Traffic

pytestmark = pytest.mark.stack

DELIVERIES = (7, 8, 2**64 - 1)
TARGETS = (
    "message_activity", "message_state", "person_activity", "url_activity", "stat_minute", "breakdown",
    "recipient_activity", "transactions", "touched", "events",
)  # fmt: skip


class Loaded:
    """A client and what its tables must hold."""

    def __init__(self, client: Client, seed: int) -> None:
        traffic = Traffic(seed, DELIVERIES, messages=25, records=60, per_record=30)
        self.client, self.lookup = client, ClickHouseLookup(client)
        self._load(traffic, random.Random(seed))
        self.truths = recount.truths(traffic.rows)

    def _load(self, traffic: Traffic, pick: random.Random) -> None:
        """In plans of a few records; some inserted twice, some built again in between, some merged in between."""
        records = traffic.records
        while records:
            count = pick.randrange(1, 9)
            plan, records = records[:count], records[count:]
            token = str(plan[0].offset)
            blocks = build(plan, self.lookup)
            for times in range(pick.choice([1, 1, 2])):
                blocks = build(plan, self.lookup) if times else blocks
                for block in blocks[:3]:
                    if block.rows:
                        insert(self.client, block, f"{block.table}-{token}")
                if pick.random() < 0.3:
                    self.client.execute("OPTIMIZE TABLE events FINAL")

    def counts(self, query: str) -> dict[tuple[Any, ...], Any]:
        """Keys -> n of a query whose last column is n; no zeros."""
        return {tuple(key): n for *key, n in self.client.execute(query) if n}


@pytest.fixture(scope="module", params=[1, 2])
def loaded(request: pytest.FixtureRequest, clickhouse: ClickHouse) -> Iterator[Loaded]:
    with scratch(clickhouse) as client:
        yield Loaded(client, request.param)


@pytest.fixture(params=["as inserted", "merged"], autouse=True)
def merged(request: pytest.FixtureRequest, loaded: Loaded) -> None:
    """Every test again on merged tables; pytest runs the first kind first."""
    if request.param == "merged":
        for table in TARGETS:
            loaded.client.execute(f"OPTIMIZE TABLE {table} FINAL")


def test_events(loaded: Loaded) -> None:
    found = loaded.client.execute(
        "SELECT lower(hex(event_id)), class, repeat, hit, reasons FROM events FINAL WHERE sign = 1"
    )
    truths = loaded.truths
    assert sorted(found) == sorted(
        (e.row.event_id, e.class_, int(e.repeat), int(e.is_hit), ",".join(e.reasons)) for e in truths
    )
    assert loaded.client.execute("SELECT sum(sign) FROM events") == [(len(truths),)]


def test_url_activity(loaded: Loaded) -> None:
    query = "SELECT delivery_id, kind, how, url_id, position, class, sum(n) FROM url_activity GROUP BY ALL"
    assert loaded.counts(query) == recount.url_activity(loaded.truths)


def test_stat_minute(loaded: Loaded) -> None:
    query = (
        """SELECT delivery_id, kind, how, toUInt32(minute) / 60, url_id, class, sum(n) FROM stat_minute GROUP BY ALL"""
    )
    assert loaded.counts(query) == recount.stat_minute(loaded.truths)


def test_breakdown(loaded: Loaded) -> None:
    query = "SELECT delivery_id, kind, dim, day, class, value, sum(n) FROM breakdown GROUP BY ALL"
    assert loaded.counts(query) == recount.breakdown(loaded.truths)


def test_transactions(loaded: Loaded) -> None:
    query = """SELECT delivery_id, currency, site, class, sum(n), sum(amount), sum(articles)
        FROM transactions GROUP BY ALL"""
    found = {tuple(key): (n, amount, articles) for *key, n, amount, articles in loaded.client.execute(query) if n}
    assert found == recount.transactions(loaded.truths)


@pytest.mark.parametrize(("cut", "people"), [("", False), ("_p", True)])
def test_message_activity(loaded: Loaded, cut: str, people: bool) -> None:
    hits = [e.row for e in loaded.truths if e.is_hit and (e.people or not people)]
    kinds = {
        "hits": hits,
        "seen": [row for row in hits if row.how != "one_click"],
        "optout_view": [row for row in hits if row.how == "view"],
        "optout_done": [row for row in hits if row.how in ("form", "one_click")],
        **{
            kind: [row for row in hits if row.kind == kind]
            for kind in ("open", "click", "mirror", "web", "transaction")
        },
    }
    for name, rows in kinds.items():
        query = f"SELECT delivery_id, message_id, sum({name}{cut}) FROM message_activity GROUP BY ALL"
        assert loaded.counts(query) == Counter((row.delivery, row.message) for row in rows), name


@pytest.mark.parametrize(("cut", "people"), [("", False), ("_p", True)])
def test_person_activity(loaded: Loaded, cut: str, people: bool) -> None:
    hits = [e.row for e in loaded.truths if e.is_hit and (e.people or not people)]
    for name, kinds in (("click", {"click"}), ("web", {"web", "transaction"})):
        query = f"SELECT delivery_id, person, sum({name}{cut}) FROM person_activity GROUP BY ALL"
        expected = Counter((row.delivery, int(row.person, 16)) for row in hits if row.kind in kinds)
        assert loaded.counts(query) == expected, name


def test_recipient_activity(loaded: Loaded) -> None:
    found = loaded.client.execute("SELECT DISTINCT recipient_key, lower(hex(event_id)) FROM recipient_activity")
    hits = [e.row for e in loaded.truths if e.row.kind in HITS]
    assert sorted(found) == sorted((row.recipient, row.event_id) for row in hits)


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_the_base_numbers_of_a_delivery(loaded: Loaded, delivery: int) -> None:
    rows, columns = loaded.client.execute(
        "SELECT * FROM indicators_live WHERE delivery_id = {d:UInt64}", {"d": delivery}, with_column_types=True
    )
    (values,) = rows
    found = dict(zip([name for name, _ in columns], values, strict=True))
    del found["delivery_id"]
    assert found == recount.indicators(loaded.truths, delivery)


def test_sums_that_must_hold(loaded: Loaded) -> None:
    """METRICS: links add up to the total; people and machines to all."""
    query = """SELECT l.delivery_id FROM indicators_live AS l
        LEFT JOIN (SELECT delivery_id, sumIf(n, kind = 'click') AS clicks, sumIf(n, class = 'machine') AS machine
            FROM url_activity GROUP BY delivery_id) AS u USING (delivery_id)
        WHERE l.total_click != u.clicks OR l.hits != l.hits_p + u.machine"""
    assert loaded.client.execute(query) == []
