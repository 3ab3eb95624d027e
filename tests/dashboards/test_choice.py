"""Names people type -> deliveries."""

from typing import Any

import pytest
from clickhouse_driver import Client

from dashboards.choice import by_key, by_names, keys_of
from dashboards.queries import Queries, ReportError
from dashboards.report_deliveries import Filters, build
from sendtrail.errors import BadName
from sendtrail.naming import HASHED, key
from tests.dashboards.happenings import Happening, Numbered, Registered, insert, register
from tests.dashboards.shown import table

NAMING_KEY = bytes(range(32))
HASHED_JUNE = key(NAMING_KEY, "", "delivery", "june")


def test_a_name_is_its_key_and_a_long_number_can_be_a_key() -> None:
    assert keys_of("7", "delivery", NAMING_KEY) == [7]
    assert keys_of("7", "delivery", None) == [7]
    assert keys_of("june", "delivery", NAMING_KEY) == [HASHED_JUNE]
    assert keys_of("june", "delivery", None) == []
    assert keys_of("007", "delivery", None) == []
    long = str(HASHED_JUNE)
    assert keys_of(long, "delivery", NAMING_KEY) == [key(NAMING_KEY, "", "delivery", long), HASHED_JUNE]
    assert keys_of(str(1 << 64), "delivery", None) == []
    assert keys_of("٣", "delivery", None) == []
    with pytest.raises(BadName):
        keys_of("", "delivery", NAMING_KEY)


def test_deliveries_are_found_by_name_and_by_key(client: Client, queries: Queries) -> None:
    register(client, [Registered(HASHED_JUNE, "june", label="June")])
    insert(client, [Numbered()(Happening(7, 1, "open", 1_790_000_000_000))])
    asked = ["june", "7", str(HASHED_JUNE)]
    found = by_names(queries, asked, NAMING_KEY)
    assert [(one.delivery, one.title, one.registered) for one in found] == [
        (HASHED_JUNE, "June", True),
        (7, "7", False),
    ]
    assert [one.delivery for one in by_names(queries, asked, None)] == [HASHED_JUNE, 7]
    assert by_key(queries, 7).contact_date is None


def test_the_default_account_wins_and_other_accounts_must_be_told_apart(client: Client, queries: Queries) -> None:
    one, two = HASHED + 1, HASHED + 2
    register(client, [Registered(one, "june", account="a"), Registered(two, "june", account="b")])
    with pytest.raises(ReportError, match=rf"several deliveries are called 'june'.* {one} \(account a\), {two} \("):
        by_names(queries, ["june"], NAMING_KEY)
    assert by_names(queries, [str(two)], NAMING_KEY)[0].account == "b"
    register(client, [Registered(HASHED_JUNE, "june")])
    assert by_names(queries, ["june"], NAMING_KEY)[0].delivery == HASHED_JUNE


def test_an_unknown_delivery_is_said(queries: Queries) -> None:
    for naming_key in (NAMING_KEY, None):
        with pytest.raises(ReportError, match="no delivery '8'"):
            by_names(queries, ["8"], naming_key)
    with pytest.raises(ReportError, match="no delivery 'june' is registered, and without the key file"):
        by_names(queries, ["june"], None)
    with pytest.raises(ReportError, match="no delivery '8'"):
        by_key(queries, 8)
    assert HASHED_JUNE >= HASHED


INJECTIONS = [
    "' OR 1=1 --",
    "x'; DROP TABLE events; --",
    "\\' OR 1=1 --",
    "{keys:Array(UInt64)}",
    "%(keys)s",
    "a\x00b",
    "');",
]


def test_names_are_values_and_nothing_else(client: Client, queries: Queries) -> None:
    insert(client, [Numbered()(Happening(7, 1, "open", 1_790_000_000_000))])
    register(client, [Registered(9, "other", tags=["t"])])

    def listed(**wanted: Any) -> list[int]:
        return [int(row["key"]) for row in table(build(queries, "people", False, Filters(**wanted)), "deliveries")]

    for number, name in enumerate(INJECTIONS, 10):
        with pytest.raises(ReportError, match="no delivery"):
            by_names(queries, [name], NAMING_KEY)
        assert listed(channel=name) == listed(tag=name) == listed(search=name) == []
        register(client, [Registered(number, name, label=name)])
        assert by_names(queries, [name], NAMING_KEY)[0].title == name
        assert listed(search=name) == [number]
        domains = queries.rows("domains", deliveries=[7], people=1, domains=[name])
        assert [row["domain"] for row in domains] == ["Unknown"]
    assert len(listed()) == 2 + len(INJECTIONS)
    assert client.execute("SELECT count() FROM events") == [(1,)]
