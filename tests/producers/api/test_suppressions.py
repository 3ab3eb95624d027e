"""GET /v1/suppressions: each exactly once, none missed, whatever is loaded meanwhile and in which order."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client
from hypothesis import given
from hypothesis import strategies as st

from producers.api.cursor import Cursor, Position, read_cursor
from producers.api.suppressed import Suppressions
from sendtrail.local.process import free_port
from sendtrail.naming import HASHED
from tests.producers.api.loaders import NOW, TOPIC, Loaders, audit, event, insert
from tests.producers.api.running import ApiProcess
from tests.producers.api.test_access import new
from tests.support.line import migrated
from tests.support.stack import ClickHouse

ANNA, SPRING = HASHED + 1, HASHED + 2


@pytest.fixture
def client(clickhouse: ClickHouse, database: str) -> Iterator[Client]:
    with migrated(clickhouse, database) as made:
        yield made


@pytest.mark.parametrize("seed", range(2))
def test_each_is_given_once_and_none_is_missed(client: Client, seed: int) -> None:
    loaders = Loaders(client, random.Random(seed))
    reader, cursor = Suppressions(client, replicated=False), Cursor("")
    given: Counter[str] = Counter()

    def read(limit: int) -> bool:
        nonlocal cursor
        page = reader.page(cursor, limit)
        assert len(page.entries) <= limit
        given.update(entry["event_id"] for entry in page.entries)
        again = read_cursor(page.cursor.text(), "")
        assert again is not None
        cursor = again
        return page.more

    for _ in loaders.steps(12):
        if loaders.random.random() < 0.5:
            read(loaders.random.randint(1, 3))
    while read(2):
        pass
    assert set(given) == loaders.suppressing
    assert set(given.values()) == {1}
    assert len(given) > 20
    assert reader.page(cursor, 10).entries == []


def test_what_is_not_audited_yet_is_not_given(client: Client) -> None:
    insert(client, "events", [event(b"a" * 16, (0, 5, 0), kind="complained")])
    reader = Suppressions(client, replicated=False)
    first = reader.page(Cursor(""), 10)
    assert (first.entries, first.more) == ([], False)
    insert(client, "audit", [audit(0, 5)])
    assert [entry["event_id"] for entry in reader.page(first.cursor, 10).entries] == [b"a".hex() * 16]


def _loaded(client: Client, rows: list[dict[str, Any]]) -> None:
    insert(client, "events", rows)
    ends = {row["src_partition"]: row["src_offset"] for row in rows}
    insert(client, "audit", [audit(lane, end) for lane, end in ends.items()])


def _register(client: Client, delivery: int, account: str, name: str) -> None:
    row = {"delivery_id": delivery, "account": account, "name": name, "updated": NOW}
    insert(client, "deliveries", [row])


def test_an_entry_says_who_why_and_of_what(client: Client) -> None:
    _register(client, SPRING, "", "spring")
    fed = event(
        b"p" * 16, (0, 0, 0), kind="prepared", delivery_id=SPRING, message_id=HASHED + 5, recipient_key=ANNA,
        message_name="m-5", recipient_name="anna@example.com", delivery_name="spring",
    )  # fmt: skip
    hit = event(
        b"o" * 16, (0, 1, 0), kind="optout", how="one_click", delivery_id=SPRING, message_id=HASHED + 5,
        recipient_key=ANNA, event_time=NOW + timedelta(milliseconds=5),
    )  # fmt: skip
    elsewhere = event(b"e" * 16, (0, 2, 0), kind="optout", how="form", recipient_key=ANNA, seed=1)
    bounce = event(b"b" * 16, (0, 3, 0), kind="bounced", reason="unknown_user", recipient_key=42)
    _loaded(client, [fed, hit, elsewhere, bounce])
    entries = Suppressions(client, replicated=False).page(Cursor(""), 10).entries
    assert entries == [
        {
            "reason": "opt_out", "time": "2026-10-20T12:00:00.005Z", "recipient": "anna@example.com",
            "recipient_key": str(ANNA), "delivery": "spring", "delivery_key": str(SPRING), "message": "m-5",
            "message_key": str(HASHED + 5), "event_id": b"o".hex() * 16, "how": "one_click",
        },
        {
            "reason": "opt_out", "time": "2026-10-20T12:00:00.000Z", "recipient": "anna@example.com",
            "recipient_key": str(ANNA), "delivery": "7", "delivery_key": "7", "message": "8", "message_key": "8",
            "event_id": b"e".hex() * 16, "how": "form", "seed": True,
        },
        {
            "reason": "hard_bounce", "time": "2026-10-20T12:00:00.000Z", "recipient": "42", "recipient_key": "42",
            "delivery": "7", "delivery_key": "7", "message": "8", "message_key": "8",
            "event_id": b"b".hex() * 16, "bounce": "unknown_user",
        },
    ]  # fmt: skip


def test_an_account_is_given_its_own(client: Client) -> None:
    _register(client, SPRING, "shop", "spring")
    rows = [
        event(b"1" * 16, (0, 0, 0), kind="optout", how="form", delivery_id=SPRING),
        event(b"2" * 16, (0, 1, 0), kind="complained", account="shop", delivery_id=HASHED + 9, delivery_name="june"),
        event(b"3" * 16, (0, 2, 0), kind="optout", how="form", delivery_id=HASHED + 9),  # fed, not registered
        event(b"4" * 16, (0, 3, 0), kind="optout", how="form", delivery_id=HASHED + 10),  # nobody's, so far
        event(b"5" * 16, (0, 4, 0), kind="unsubscribed", account="other"),
    ]
    _loaded(client, rows)
    reader = Suppressions(client, replicated=False)
    given: dict[str, list[str]] = {}
    names: dict[str, str | None] = {}
    for account in ("shop", "", "other", "nobody"):
        cursor, given[account], more = Cursor(account), list[str](), True
        while more:
            page = reader.page(cursor, 1)
            cursor, more = page.cursor, page.more
            names |= {entry["delivery_key"]: entry["delivery"] for entry in page.entries}
            given[account] += [bytes.fromhex(entry["event_id"])[:1].decode() for entry in page.entries]
    assert given == {"shop": ["1", "2", "3"], "": ["4"], "other": ["5"], "nobody": []}
    assert names == {str(SPRING): "spring", str(HASHED + 9): "june", str(HASHED + 10): None, "7": "7"}


def test_a_topic_made_anew_begins_anew(client: Client) -> None:
    _loaded(client, [event(b"1" * 16, (0, 50, 0), kind="complained")])
    reader = Suppressions(client, replicated=False)
    first = reader.page(Cursor(""), 10)
    another = "1" + TOPIC[1:]
    insert(client, "events", [event(b"2" * 16, (0, 3, 0), another, kind="complained")])
    insert(
        client, "audit", [{"src_topic": another, "src_partition": 0, "src_from": 0, "src_offset": 3, "log_time": NOW}]
    )
    assert [entry["event_id"] for entry in reader.page(first.cursor, 10).entries] == [b"2".hex() * 16]


def test_over_http(clickhouse: ClickHouse, client: Client, database: str, tmp_path: Path) -> None:
    rows = [event(bytes([n]) * 16, (n % 2, n, 0), kind="complained", account="shop") for n in range(10)]
    _loaded(client, rows)
    api = ApiProcess(tmp_path)
    api.environment |= {
        "SENDTRAIL_CLICKHOUSE_ADDRESS": clickhouse.address, "SENDTRAIL_CLICKHOUSE_USER": clickhouse.user,
        "SENDTRAIL_CLICKHOUSE_PASSWORD": clickhouse.password, "SENDTRAIL_CLICKHOUSE_DATABASE": database,
    }  # fmt: skip
    shop = new(api, "shop", "--account", "shop")
    with api:

        def get(**query: Any) -> Any:
            return api.client.get("/v1/suppressions", params=query, headers=shop)

        first = get(limit=7).json()
        assert (len(first["suppressions"]), first["more"]) == (7, True)
        headers = shop | {"Accept": "application/x-ndjson"}
        reply = api.client.get("/v1/suppressions", params={"cursor": first["cursor"]}, headers=headers)
        *entries, end = [json.loads(line) for line in reply.text.splitlines()]
        assert (len(entries), end["more"]) == (3, False)
        ids = {entry["event_id"] for entry in (*first["suppressions"], *entries)}
        assert ids == {row["event_id"].hex() for row in rows}
        assert get(cursor=end["cursor"]).json() == {"suppressions": [], "cursor": end["cursor"], "more": False}
        for query in (
            {"cursor": "nonsense"},
            {"limit": "0"},
            {"limit": "10001"},
            {"limit": "x"},
            {"limit": "9" * 5000},
        ):
            assert get(**query).status_code == 400
        other = new(api, "other", "--account", "other")
        params = {"cursor": end["cursor"]}
        assert api.client.get("/v1/suppressions", params=params, headers=other).json()["error"] == "bad_cursor"


def test_clickhouse_away_is_said_and_feeding_goes_on(tmp_path: Path) -> None:
    api = ApiProcess(tmp_path)
    api.environment |= {"SENDTRAIL_CLICKHOUSE_ADDRESS": f"127.0.0.1:{free_port()}"}
    with api:
        reply = api.client.get("/v1/suppressions")
        assert (reply.status_code, reply.json()["error"]) == (503, "clickhouse_unavailable")
        assert int(reply.headers["retry-after"]) > 0
        assert api.feed() == []


@given(
    st.text(max_size=20),
    st.dictionaries(
        st.tuples(st.text(min_size=1, max_size=9), st.integers(0, 65535)),
        st.builds(Position, st.integers(0, 2**63 - 1), st.integers(0, 2**31)),
        max_size=5,
    ),
)
def test_a_cursor_comes_back_as_it_was(account: str, positions: dict[tuple[str, int], Position]) -> None:
    read = read_cursor(Cursor(account, positions).text(), account)
    assert read is not None
    assert (read.account, read.positions) == (account, positions)


@given(st.one_of(st.text(max_size=100), st.binary(max_size=100).map(lambda raw: raw.hex())))
def test_no_text_breaks_the_cursor(text: str) -> None:
    read = read_cursor(text, "")
    assert read is None or isinstance(read, Cursor)
