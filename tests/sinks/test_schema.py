"""The tables themselves: columns, tokens through every view, months, states of messages."""

import itertools
import re
from collections.abc import Iterator

import pytest
from clickhouse_driver import Client

from sendtrail.enriched import EventRow, RejectRow
from sinks.columns import CLASSES, EVENT_COLUMNS, HOWS, KINDS
from sinks.queries import query
from sinks.stored import ClickHouseLookup
from tests.support.line import scratch
from tests.support.stack import ClickHouse
from tests.support.tracked import NOW_MS, event, load, record, relabel

pytestmark = pytest.mark.stack

#: Every table that an insert of the loader reaches.
LOADED = (
    "events", "rejects", "audit", "message_activity", "message_state", "person_activity", "url_activity",
    "stat_minute", "breakdown", "recipient_activity", "transactions",
)  # fmt: skip


@pytest.fixture(scope="module")
def client(clickhouse: ClickHouse) -> Iterator[Client]:
    with scratch(clickhouse) as client:
        yield client


_numbers = itertools.count(1000)


@pytest.fixture
def delivery() -> int:
    """A delivery of the test's own in the module's database."""
    return next(_numbers)


def enum(type_: str) -> dict[str, int]:
    return {name: int(code) for name, code in re.findall(r"'(\w*)' = (\d+)", type_)}


def test_columns_are_those_of_the_mapping(client: Client) -> None:
    columns = dict(
        client.execute(
            "SELECT name, type FROM system.columns"
            " WHERE database = currentDatabase() AND table = 'events' ORDER BY position"
        )
    )
    assert tuple(columns) == EVENT_COLUMNS
    assert enum(columns["kind"]) == KINDS
    assert enum(columns["class"]) == CLASSES
    assert enum(columns["how"]) == {how or "": code for how, code in HOWS.items()}


def test_the_look_up_reads_every_column_in_the_same_order(client: Client) -> None:
    parameters = {"deliveries": [1], "event_ids": ["00" * 16]}
    _, columns = client.execute(query("stored_rows"), parameters, with_column_types=True)
    assert ["event_id" if name == "id" else name for name, _ in columns] == list(EVENT_COLUMNS)


@pytest.mark.parametrize("name", ["stored_rows", "stored_places"])
def test_look_ups_use_the_primary_key(client: Client, delivery: int, name: str) -> None:
    row = event(delivery=delivery)
    load(client, [record(0, [row])], ClickHouseLookup(client), f"key-{delivery}")
    plan = client.execute("EXPLAIN indexes = 1 " + query(name), {"deliveries": [delivery], "event_ids": [row.event_id]})
    text = re.sub(r"[^\w ]+", " ", " ".join(line for (line,) in plan))
    assert re.search(r"PrimaryKey\s+Keys\s+delivery_id\s+event_id\s+Condition", text), text


def everything(delivery: int) -> list[EventRow]:
    """Events that reach every table."""
    feed = [
        event(kind=kind, message=index % 3) for index, kind in enumerate(k for k, code in KINDS.items() if code >= 10)
    ]
    hits = [event(kind=kind, how="view", class_="human") for kind, code in KINDS.items() if code < 10]
    for number, row in enumerate([*feed, *hits]):
        row.delivery, row.recipient, row.reason = delivery, 5, "spam"
        row.currency, row.amount, row.articles, row.person = "EUR", 250, 2, f"{number:032x}"
    return [*feed, *hits]


def content(client: Client, table: str, delivery: int) -> list[tuple[object, ...]]:
    """All rows, as merged as FINAL makes them, of a delivery (of a source partition where a table has no delivery)."""
    final = "" if table in ("rejects", "audit") else "FINAL"
    key = "src_partition = {number:UInt64}" if table in ("rejects", "audit") else "delivery_id = {number:UInt64}"
    found: list[tuple[object, ...]] = client.execute(
        f"SELECT * FROM {table} {final} WHERE {key} ORDER BY ALL", {"number": delivery}
    )
    return found


def test_a_block_inserted_twice_counts_once_everywhere(client: Client, delivery: int) -> None:
    """FACTS D: the token must hold on the table itself and on the target of every view."""
    rows = everything(delivery)
    reject = RejectRow(source_offset=1, source_index=99, key="k", reason="bad_id", time_ms=NOW_MS)
    plan = [record(1, [*rows, reject], delivery), record(2, [relabel(rows[-1])], delivery)]
    load(client, plan, ClickHouseLookup(client), f"twice-{delivery}")
    once = {table: content(client, table, delivery) for table in LOADED}
    touched = client.execute("SELECT max(at) FROM touched WHERE delivery_id = {d:UInt64}", {"d": delivery})
    assert all(once.values())
    load(client, plan, ClickHouseLookup(client), f"twice-{delivery}", times=2)
    assert {table: content(client, table, delivery) for table in LOADED} == once
    again = client.execute("SELECT max(at) FROM touched WHERE delivery_id = {d:UInt64}", {"d": delivery})
    assert again > touched, "a repeated insert must touch its deliveries anew"


def test_equal_rows_under_another_token_count_again(client: Client, delivery: int) -> None:
    plan = [record(1, [event(delivery=delivery)])]
    for token in ("a", "b"):
        load(client, plan, ClickHouseLookup(client), f"{token}-{delivery}")
    assert client.execute("SELECT sum(n) FROM stat_minute WHERE delivery_id = {d:UInt64}", {"d": delivery}) == [(2,)]


def test_a_block_of_more_than_a_hundred_months(client: Client, delivery: int) -> None:
    """A feed may name any time since 2000; a single record may span hundreds of months."""
    month_ms = 31 * 86_400_000
    rows = [event(delivery=delivery, event_time_ms=NOW_MS - number * month_ms) for number in range(150)]
    load(client, [record(1, rows)], ClickHouseLookup(client), f"months-{delivery}", times=2)
    count = "SELECT uniqExact(toYYYYMM(event_time)), count() FROM events WHERE delivery_id = {d:UInt64}"
    assert client.execute(count, {"d": delivery}) == [(150, 150)]


STATES = [
    (["prepared"], ("", "")),
    (["prepared", "sent"], ("sent", "")),
    (["sent", "deferred:mailbox_full"], ("deferred", "mailbox_full")),
    (["deferred:mailbox_full", "sent"], ("sent", "")),
    (["delivered", "sent", "deferred"], ("delivered", "")),
    (["bounced:unknown_user", "deferred"], ("bounced_hard", "unknown_user")),
    (["bounced:invalid_domain"], ("bounced_hard", "invalid_domain")),
    (["bounced:mailbox_full"], ("bounced_soft", "mailbox_full")),
    (["bounced:another word"], ("bounced_soft", "other")),
    (["delivered", "bounced:spam"], ("bounced_soft", "spam")),
    (["bounced:spam", "delivered"], ("delivered", "")),
    (["rejected:policy", "delivered"], ("delivered", "")),
    (["delivered", "rejected:policy"], ("rejected", "policy")),
    (["=delivered", "=rejected:policy", "=bounced:spam"], ("delivered", "")),
    (["=bounced:spam", "=rejected:policy"], ("rejected", "policy")),
    (["=bounced:mailbox_full", "=bounced:unknown_user"], ("bounced_hard", "unknown_user")),
    (["complained", "unsubscribed"], ("", "")),
]


@pytest.mark.parametrize(("story", "expected"), STATES)
def test_the_state_of_a_message(client: Client, delivery: int, story: list[str], expected: tuple[str, str]) -> None:
    """METRICS: a final state beats the others; then the latest time; then delivered over rejected over bounced."""
    rows, time_ms = [], NOW_MS
    for word in story:
        time_ms += 0 if word.startswith("=") else 1
        kind, _, reason = word.lstrip("=").partition(":")
        rows.append(event(kind=kind, reason=reason, event_time_ms=time_ms, delivery=delivery))
    for number, row in enumerate(reversed(rows)):
        load(client, [record(number, [row])], ClickHouseLookup(client), f"state-{delivery}-{number}")
    read = "SELECT state, reason, complained, unsubscribed FROM messages WHERE delivery_id = {d:UInt64}"
    flags = tuple(int(flag in story) for flag in ("complained", "unsubscribed"))
    assert client.execute(read, {"d": delivery}) == [(*expected, *flags)]


def test_what_prepared_says_of_a_message_stays(client: Client, delivery: int) -> None:
    prepared = event(
        kind="prepared", delivery=delivery, recipient=0, recipient_name="a@b.example", message_name="m1",
        domain="b.example", format="multipart", flags=2, attributes={"b": "2", "a": "1"},
    )  # fmt: skip
    sent = event(kind="sent", delivery=delivery, event_time_ms=NOW_MS + 7)
    load(client, [record(0, [sent]), record(1, [prepared])], ClickHouseLookup(client), f"prepared-{delivery}")
    read = """SELECT recipient_key, recipient_name, message_name, domain, format, seed, state, prepared, fed,
        toUnixTimestamp64Milli(state_time), attributes FROM messages WHERE delivery_id = {d:UInt64}"""
    assert client.execute(read, {"d": delivery}) == [
        (0, "a@b.example", "m1", "b.example", "multipart", 1, "sent", 1, 1, NOW_MS + 7, {"b": "2", "a": "1"})
    ]


def test_a_recipients_hits_are_found_by_key(client: Client, delivery: int) -> None:
    click, sent = (
        event(kind="click", delivery=delivery, recipient=0),
        event(kind="sent", delivery=delivery, recipient=0),
    )
    nobody = event(delivery=delivery)
    plan = [record(0, [click, sent, nobody]), record(1, [relabel(click)])]
    load(client, plan, ClickHouseLookup(client), f"recipient-{delivery}")
    read = """SELECT lower(hex(event_id)) FROM recipient_activity FINAL
        WHERE recipient_key = 0 AND delivery_id = {d:UInt64}"""
    assert client.execute(read, {"d": delivery}) == [(click.event_id,)]
