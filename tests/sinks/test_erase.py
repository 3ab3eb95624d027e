"""Erasing a recipient: nothing names the person any more, every count stays, and what comes later is alike."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from clickhouse_driver import Client

from dashboards.queries import Queries
from sendtrail.cli.verifying import report_checks
from sendtrail.enriched import RejectRow
from sendtrail.naming import HASHED, key
from sendtrail.removal.erasures import ask, erasures, fingerprints, pseudonym_of
from sendtrail.settings import Config, ReportSettings
from sinks import verify as checked
from sinks.blocks import LoadedRecord
from sinks.erase import erase, person
from sinks.erased import Erased, origin_of
from sinks.plan import Plan
from sinks.rows import build
from sinks.stored import ClickHouseLookup
from tests.sinks.test_unknown import load
from tests.support.line import clickhouse_settings, scratch
from tests.support.stack import ClickHouse
from tests.support.tracked import NOW_MS, event, record, relabel

pytestmark = pytest.mark.stack

NAMING_KEY = b"n" * 32
ANNA = "änna@example.com"
NAMED = {
    account: key(NAMING_KEY, account, "recipient", ANNA) for account in ("", "shop")
}  # fmt: skip
BEN, ID = key(NAMING_KEY, "", "recipient", "ben"), 7


def feed(recipient: int, name: str, message: int, **more: Any) -> Any:
    return event(
        kind="sent", recipient=recipient, recipient_name=name, message=message, message_name=f"m-{name}",
        attributes={"plan": "gold", "first": name}, flags=0, **more,
    )  # fmt: skip


def hit(recipient: int | None, message: int, **more: Any) -> Any:
    return event(
        kind="click", recipient=recipient, message=message, address="203.0.113.7", user_agent="Mozilla/5.0",
        destination=f"https://example.com/?who={ANNA}", referrer="https://mail.example.net/inbox/4711", **more,
    )  # fmt: skip


def reject(original: bytes) -> RejectRow:
    return RejectRow(source_offset=0, source_index=0, reason="bad_field", detail="of it", original=original, key="k")


def happened(offset: int) -> LoadedRecord:
    clicked = hit(NAMED[""], 1)
    return record(offset, [
        feed(NAMED[""], ANNA, 1), feed(BEN, "ben", 2), feed(NAMED["shop"], ANNA, 3, account="shop", delivery=9),
        feed(ID, "7", 4),
        clicked, hit(None, 1), hit(BEN, 2), hit(ID, 4), hit(NAMED["shop"], 3, delivery=9),
        event(kind="bounced", recipient=NAMED[""], message=1, reason="spam", diagnostic=f"550 <{ANNA}> unknown"),
        relabel(clicked, "machine"),
        reject(original=json.dumps({"k": "open", "r": NAMED[""]}).encode()),
        reject(original=f'{{"recipient": "{ANNA}"'.encode()),
        reject(original=json.dumps({"k": "open", "r": BEN}).encode()),
    ])  # fmt: skip


@pytest.fixture(scope="module")
def client(clickhouse: ClickHouse) -> Iterator[Client]:
    with scratch(clickhouse) as made:
        insert_record(made, happened(0))
        made.execute(
            "INSERT INTO consents (recipient_key, purpose, time, state, recipient_name) VALUES",
            [(NAMED[""], "tracking", NOW_MS, "withdrawn", ANNA), (BEN, "tracking", NOW_MS, "granted", "ben")],
        )
        yield made


def insert_record(client: Client, one: LoadedRecord, erased: Erased | None = None) -> None:
    blocks = build([one], ClickHouseLookup(client))
    plan = Plan(one.header.topic_id, "log", {one.partition: (one.offset, one.offset + 1)})
    load(client, plan, erased.blocks(blocks) if erased else blocks)


def counted(client: Client) -> dict[str, Any]:
    """Everything that counts: each table without who it is of."""
    tables = ("url_activity", "stat_minute", "breakdown", "person_activity", "transactions")
    found = {table: sorted(map(repr, client.execute(f"SELECT * FROM {table} FINAL"))) for table in tables}
    found["indicators"] = client.execute("SELECT * FROM indicators_live ORDER BY delivery_id")
    found["states"] = client.execute(
        "SELECT delivery_id, message_id, kinds, last, domain FROM message_state FINAL ORDER BY 1, 2"
    )
    found["judged"] = client.execute(
        "SELECT event_id, rev, sign, class, hit, person, client, country, page FROM events ORDER BY event_id, rev, sign"
    )
    found["rejects"] = client.execute("SELECT reason, count() FROM rejects GROUP BY 1 ORDER BY 1")
    return found


def holding(client: Client, text: str) -> dict[str, int]:
    """How many values of every column of every table contain a text."""
    found = {}
    columns = client.execute(
        "SELECT table, name FROM system.columns INNER JOIN system.tables AS t ON t.database = columns.database "
        "AND t.name = columns.table WHERE database = currentDatabase() AND t.engine LIKE '%MergeTree'"
    )
    for table, column in columns:
        asked = f"SELECT countIf(position(toString({column}), {{text:String}}) > 0) FROM {table}"
        if count := client.execute(asked, {"text": text})[0][0]:
            found[f"{table}.{column}"] = count
    return found


def test_pseudonyms_are_keyed_and_look_like_keys_of_names() -> None:
    assert pseudonym_of(NAMING_KEY, ID) >= HASHED
    assert pseudonym_of(NAMING_KEY, ID) != pseudonym_of(b"x" * 32, ID)
    assert 0 <= fingerprints(NAMING_KEY)(ID) < 1 << 16
    assert fingerprints(NAMING_KEY)(ID) != fingerprints(b"x" * 32)(ID)


@pytest.mark.parametrize(
    ("referrer", "kept"),
    [("", ""), ("https://a.example/x?y#z", "https://a.example/"), ("nonsense", "-"), ("http://[", "-")],
)
def test_of_a_referrer_the_host_stays(referrer: str, kept: str) -> None:
    assert origin_of(referrer) == kept


def test_an_erased_person_is_nowhere_and_counts_stay(clickhouse: ClickHouse, client: Client) -> None:
    settings = clickhouse_settings(clickhouse, client.execute("SELECT currentDatabase()")[0][0])
    before, anna = counted(client), NAMED[""]
    others = holding(client, str(NAMED["shop"])), holding(client, str(BEN))
    assert person(client, anna).names == (ANNA,)
    assert [(name, value) for _, name, value in person(client, anna).rare] == [("first", ANNA)]

    request, forgotten = ask(client, anna, "", ANNA, "me"), list[str]()
    assert ask(client, anna, "", ANNA, "me") == request
    pseudonym = erase(client, settings, NAMING_KEY, request, forgotten.extend)

    assert holding(client, str(anna)) == {}
    assert holding(client, str(NAMED["shop"])).keys() == others[0].keys()
    assert holding(client, str(BEN)) == others[1]
    assert counted(client) == before
    assert forgotten == [f"{anna}/tracking/withdrawn/{NOW_MS}"]
    own = client.execute(
        "SELECT address, user_agent, destination, referrer, attributes FROM events WHERE message_id = 1"
    )
    assert {row[:3] for row in own} == {("", "", "")}
    assert {row[3] for row in own} == {"", "https://mail.example.net/"}
    assert [row[4] for row in own if row[4]] == [{"plan": "gold"}]
    assert client.execute(
        "SELECT recipient_key, recipient_name, attributes FROM message_state FINAL WHERE message_id = 1"
    ) == [(pseudonym, "", {"plan": "gold"})]
    assert client.execute("SELECT count() FROM rejects WHERE original = ''") == [(2,)]
    # the same name of another account, and a name that is a number, are others
    assert client.execute("SELECT recipient_name FROM message_state FINAL WHERE message_id IN (3, 4) ORDER BY 1") == [
        ("7",),
        (ANNA,),
    ]
    (left,) = erasures(client)
    assert (left.recipient, left.name, left.pseudonym) == (0, "", pseudonym)
    assert left.done is not None
    checks = checked.checks(client) | report_checks(Queries(client, Config({}).section(ReportSettings), hidden=True))
    del checks["indicators = live"]
    assert checked.look(checks, checked.scope(client).provable, lambda rows: None) == []


def test_what_comes_later_is_pseudonymous_too(clickhouse: ClickHouse, client: Client) -> None:
    anna, pseudonym = NAMED[""], pseudonym_of(NAMING_KEY, NAMED[""])
    erased = Erased(NAMING_KEY)
    erased.refresh(client)
    assert erased.pseudonym(anna) == pseudonym
    assert [erased.pseudonym(other) for other in (BEN, ID, NAMED["shop"], 0, None)] == [None] * 5
    late = record(1, [
        hit(anna, 1), feed(anna, ANNA, 11), hit(BEN, 2), feed(BEN, "ben", 12),
        reject(original=json.dumps({"r": anna}).encode()), reject(original=json.dumps({"rn": ANNA}).encode()),
        reject(original=json.dumps({"a": "shop", "rn": ANNA}).encode()), reject(original=b"\xff{"),
    ])  # fmt: skip
    insert_record(client, late, erased)
    assert holding(client, str(anna)) == {}
    assert client.execute(
        "SELECT recipient_key, recipient_name FROM message_state FINAL WHERE message_id IN (11, 12) ORDER BY 2"
    ) == [(pseudonym, ""), (BEN, "ben")]
    assert client.execute("SELECT count() FROM rejects WHERE original = ''") == [(4,)]
    assert client.execute(f"SELECT count() FROM events WHERE recipient_key = {pseudonym} AND address != ''") == [(0,)]
    # once more: nothing is left to do, and nothing changes
    settings = clickhouse_settings(clickhouse, client.execute("SELECT currentDatabase()")[0][0])
    before = counted(client)
    erase(client, settings, NAMING_KEY, ask(client, anna, "", ANNA, "me"), lambda keys: None)
    assert counted(client) == before
    assert holding(client, str(anna)) == {}
    assert len(erasures(client)) == 2


def test_a_recipient_known_by_hits_alone_and_one_whose_name_is_a_number(clickhouse: ClickHouse, client: Client) -> None:
    settings = clickhouse_settings(clickhouse, client.execute("SELECT currentDatabase()")[0][0])
    stranger = key(NAMING_KEY, "", "recipient", "stranger")
    insert_record(client, record(2, [hit(stranger, 70)]))
    before = counted(client)
    for recipient, name in ((stranger, "stranger"), (ID, "7")):
        erase(client, settings, NAMING_KEY, ask(client, recipient, "", name, "me"), lambda keys: None)
    assert counted(client) == before
    for table in ("events", "message_state", "message_activity", "recipient_activity"):
        assert client.execute(f"SELECT count() FROM {table} WHERE recipient_key IN ({ID}, {stranger})") == [(0,)]
    assert client.execute("SELECT count() FROM rejects WHERE original = ''") == [(4,)]
