"""Queries through clickhouse-driver: the same on the embedded engine and on a real server."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

from tests.support.stack import ClickHouse

UNKNOWN_EXPRESSION = 47
AUTHENTICATION_FAILED = 516


@pytest.fixture
def client(clickhouse: ClickHouse) -> Iterator[Client]:
    with clickhouse.client() as client:
        yield client


VALUES: list[tuple[str, Any]] = [
    ("UInt8", 255),
    ("Int64", -(2**63)),
    ("UInt128", 2**128 - 1),
    ("Int256", -(2**255)),
    ("Float64", 1.5),
    ("Bool", True),
    ("String", "naïve\0 bytes ✓"),
    ("FixedString(4)", "abcd"),
    ("LowCardinality(String)", "low"),
    ("LowCardinality(Nullable(String))", None),
    ("Nullable(UInt32)", None),
    ("Date", date(2026, 11, 24)),
    ("DateTime('UTC')", datetime(2026, 11, 24, 3, 4, 5, tzinfo=UTC)),
    ("DateTime64(3, 'UTC')", datetime(2026, 11, 24, 3, 4, 5, 678000, tzinfo=UTC)),
    ("Enum8('b, (x)' = -2, 'a' = 1)", "b, (x)"),
    ("Enum16('c' = 1000)", "c"),
    ("UUID", UUID("7447e190-5a04-488a-acb7-e53cc015a252")),
    ("IPv4", IPv4Address("127.0.0.1")),
    ("IPv6", IPv6Address("2001:db8::1")),
    ("Decimal(9, 2)", Decimal("-1234567.89")),
    ("Decimal(38, 10)", Decimal("1.2345678901")),
    ("Array(Array(String))", [["a", ""], [], ["b"]]),
    ("Array(LowCardinality(Nullable(String)))", ["x", None, "x"]),
    ("Array(Nullable(Int16))", [1, None]),
    ("Map(String, Array(UInt8))", {"k": [1, 2], "": []}),
    ("Tuple(Int8, String)", (1, "y")),
    ("Tuple(a Int8, `b c` LowCardinality(String))", (1, "y")),
    ("SimpleAggregateFunction(max, UInt64)", 7),
    ("Array(Tuple(UInt8, Map(String, String)))", [(1, {"a": "b"}), (2, {})]),
]


@pytest.mark.parametrize(("type_name", "value"), VALUES, ids=[name for name, _ in VALUES])
@pytest.mark.parametrize("compression", [False, "lz4"])
def test_a_value_of_every_type_comes_back(
    clickhouse: ClickHouse, database: str, type_name: str, value: Any, compression: bool | str
) -> None:
    with clickhouse.client(database, compression=compression) as client:
        client.execute(f"CREATE TABLE t (n UInt8, v {type_name}) ENGINE = Memory")
        client.execute("INSERT INTO t VALUES", [(1, value), (2, value)])
        rows, columns = client.execute("SELECT * FROM t ORDER BY n", with_column_types=True)
    assert rows == [(1, value), (2, value)]
    assert columns == [("n", "UInt8"), ("v", type_name)]


def test_an_empty_result_has_its_columns(client: Client) -> None:
    query = "WITH 5 AS five SELECT five AS a, toLowCardinality('x') AS b FROM numbers(10) WHERE number > 100"
    rows, columns = client.execute(query, with_column_types=True)
    assert rows == []
    assert columns == [("a", "UInt8"), ("b", "LowCardinality(String)")]


@pytest.mark.parametrize("statement", ["SHOW TABLES", "DESCRIBE TABLE system.one", "EXPLAIN SELECT 1", "EXISTS t"])
def test_other_statements_with_results(clickhouse: ClickHouse, database: str, statement: str) -> None:
    with clickhouse.client(database) as client:
        _, columns = client.execute(statement, with_column_types=True)
    assert columns


def test_a_big_result_comes_in_blocks(client: Client) -> None:
    numbers = [number for (number,) in client.execute_iter("SELECT number FROM numbers(300000)")]
    assert numbers == list(range(300000))


def test_columnar(client: Client) -> None:
    assert client.execute("SELECT number, toString(number) FROM numbers(3)", columnar=True) == [
        (0, 1, 2),
        ("0", "1", "2"),
    ]


def test_a_format_clause_is_the_client_s_business(client: Client) -> None:
    assert client.execute("SELECT 1 AS format FORMAT JSON") == [(1,)]


def test_server_side_parameters(clickhouse: ClickHouse) -> None:
    text = "it's\n\\ \t\0 ✓"
    values = {"text": text, "list": ["a'b", "\\"], "number": 3, "day": date(2026, 1, 2)}
    query = "SELECT {text:String}, {list:Array(String)}, {number:UInt8} + 1, {day:Date}"
    with clickhouse.client(settings={"server_side_params": True}) as client:
        assert client.execute(query, values) == [(text, ["a'b", "\\"], 4, date(2026, 1, 2))]


def test_an_empty_result_with_parameters_has_its_columns(clickhouse: ClickHouse) -> None:
    with clickhouse.client(settings={"server_side_params": True}) as client:
        query = "SELECT {x:UInt16} AS x WHERE {x:UInt16} = 0"
        assert client.execute(query, {"x": 5}, with_column_types=True) == ([], [("x", "UInt16")])


def test_settings_hold_for_one_query(client: Client) -> None:
    query = "SELECT getSetting('max_block_size')"
    before = client.execute(query)
    assert client.execute(query, settings={"max_block_size": 1234}) == [(1234,)]
    assert client.execute(query) == before


def test_read_only_holds_for_one_query(clickhouse: ClickHouse, database: str) -> None:
    with clickhouse.client(database) as client:
        client.execute("CREATE TABLE t (n UInt8) ENGINE = Memory")
        with pytest.raises(ServerException) as refused:
            client.execute("INSERT INTO t SELECT 1", settings={"readonly": 2})
        assert refused.value.code == ErrorCodes.READONLY
        for _ in range(2):
            assert client.execute("SELECT count() FROM t", settings={"readonly": 2, "max_threads": 1}) == [(0,)]
        assert client.execute("SELECT getSetting('readonly'), currentDatabase()") == [(0, database)]
        client.execute("INSERT INTO t VALUES", [(1,)])
        assert client.execute("SELECT n FROM t") == [(1,)]


def test_set_holds_for_the_connection_and_yields_to_a_query(clickhouse: ClickHouse, client: Client) -> None:
    query = "SELECT getSetting('max_block_size')"
    client.execute(query, settings={"max_block_size": 5})
    client.execute("SET max_block_size = 77", settings={"max_block_size": 6})
    assert client.execute(query) == [(77,)]
    assert client.execute(query, settings={"max_block_size": 88}) == [(88,)]
    assert client.execute(query) == [(77,)]
    with clickhouse.client() as other:
        assert other.execute(query) != [(77,)]


@pytest.mark.parametrize("setting", [{"readonly": 1}, {"readonly": 2}, {"allow_ddl": 0}, {"max_query_size": 20}])
def test_a_setting_that_forbids_leaves_with_its_query(
    clickhouse: ClickHouse, database: str, setting: dict[str, int]
) -> None:
    with clickhouse.client(database) as client:
        client.execute("SET max_block_size = 77")
        assert client.execute("SELECT 1", settings=setting) == [(1,)]
        client.execute("CREATE TABLE t (n UInt8) ENGINE = Memory", settings={"max_threads": 1})
        assert client.execute("SELECT getSetting('max_block_size')") == [(77,)]


def test_an_unknown_setting_is_ignored_unless_important(clickhouse: ClickHouse, client: Client) -> None:
    assert client.execute("SELECT 1", settings={"no_such_setting": 1}) == [(1,)]
    with (
        clickhouse.client(settings_is_important=True) as strict,
        pytest.raises(ServerException) as caught,
    ):
        strict.execute("SELECT 1", settings={"no_such_setting": 1})
    assert caught.value.code == ErrorCodes.UNKNOWN_SETTING


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT nope", UNKNOWN_EXPRESSION),
        ("SELECT * FROM no_such_table", ErrorCodes.UNKNOWN_TABLE),
        ("SELECT * FROM no_such_database.t", ErrorCodes.UNKNOWN_DATABASE),
        ("SELECT 1 +", ErrorCodes.SYNTAX_ERROR),
        ("SELECT 1; SELECT 2", ErrorCodes.SYNTAX_ERROR),
        ("SELECT toUInt8('x')", ErrorCodes.CANNOT_PARSE_TEXT),
        ("SELECT throwIf(number = 200000) FROM numbers(1000000)", 395),
        ("DROP TABLE no_such_table", ErrorCodes.UNKNOWN_TABLE),
    ],
)
def test_errors_have_their_code(client: Client, query: str, code: int) -> None:
    with pytest.raises(ServerException) as caught:
        client.execute(query)
    assert caught.value.code == code
    assert caught.value.message.startswith("DB::Exception: ")
    assert client.execute("SELECT 1") == [(1,)]


@pytest.mark.parametrize(("user", "password"), [("default", "wrong"), ("nobody", None), ("", "")])
def test_a_wrong_log_in_is_refused(clickhouse: ClickHouse, user: str, password: str | None) -> None:
    client = Client(clickhouse.host, clickhouse.port, "", user, password or clickhouse.password)
    with pytest.raises(ServerException) as caught:
        client.execute("SELECT 1")
    assert caught.value.code == AUTHENTICATION_FAILED


def test_the_database_is_the_client_s_choice(clickhouse: ClickHouse, database: str) -> None:
    with clickhouse.client(database) as client:
        assert client.execute("SELECT currentDatabase()") == [(database,)]
        client.execute("USE system")
        assert client.execute("SELECT currentDatabase()") == [("system",)]
    with clickhouse.client("no_such_database") as client, pytest.raises(ServerException) as caught:
        client.execute("SELECT 1")
    assert caught.value.code == ErrorCodes.UNKNOWN_DATABASE


def test_ping(client: Client) -> None:
    client.execute("SELECT 1")
    assert client.connection.ping()
    assert client.execute("SELECT 2") == [(2,)]


def test_external_tables(client: Client) -> None:
    table = {"name": "wanted", "structure": [("n", "UInt64"), ("s", "String")], "data": [{"n": 3, "s": "x"}]}
    query = "SELECT number, s FROM numbers(5) AS numbers JOIN wanted ON number = n"
    assert client.execute(query, external_tables=[table]) == [(3, "x")]
    assert client.execute(query, external_tables=[table]) == [(3, "x")]


def test_temporary_tables_live_with_the_connection(clickhouse: ClickHouse, client: Client) -> None:
    client.execute("CREATE TEMPORARY TABLE mine (n UInt8)")
    client.execute("INSERT INTO mine VALUES", [(1,)])
    assert client.execute("SELECT * FROM mine") == [(1,)]
    with clickhouse.client() as other, pytest.raises(ServerException):
        other.execute("SELECT * FROM mine")


SLOW = "SELECT count() FROM numbers(200000000000) WHERE sipHash64(number) = 1"


def running(client: Client, mark: str) -> bool:
    query = f"SELECT count() FROM system.processes WHERE query LIKE '%{mark}%' AND query NOT LIKE '%processes%'"
    return bool(client.execute(query)[0][0])


def wait_until_running(client: Client, mark: str, wanted: bool) -> None:
    deadline = time.monotonic() + 30
    while running(client, mark) is not wanted:
        assert time.monotonic() < deadline, f"query {mark} is {'not ' if wanted else ''}running"
        time.sleep(0.02)


def test_a_query_is_cancelled(clickhouse: ClickHouse, client: Client) -> None:
    slow = clickhouse.client()
    slow.execute("SELECT 1")
    slow.connection.send_query(f"{SLOW} /* cancelled */")
    slow.connection.send_external_tables(None)
    wait_until_running(client, "cancelled", True)
    slow.connection.send_cancel()
    list(slow.packet_generator())
    assert not running(client, "cancelled")
    slow.connection.is_query_executing = False
    assert slow.execute("SELECT 5") == [(5,)]
    slow.disconnect()


def test_a_query_ends_when_its_client_leaves(clickhouse: ClickHouse, client: Client) -> None:
    slow = clickhouse.client()
    slow.execute("SELECT 1")
    slow.connection.send_query(f"{SLOW} /* abandoned */")
    slow.connection.send_external_tables(None)
    wait_until_running(client, "abandoned", True)
    slow.disconnect()
    wait_until_running(client, "abandoned", False)
    assert client.execute("SELECT 1") == [(1,)]


def test_a_half_read_result_does_no_harm(clickhouse: ClickHouse) -> None:
    for _ in range(5):
        client = clickhouse.client()
        rows = client.execute_iter("SELECT number, repeat('x', 200) FROM numbers(10000000)")
        assert next(rows)[0] == 0
        client.disconnect()
    with clickhouse.client() as client:
        assert client.execute("SELECT 1") == [(1,)]


def test_clients_run_side_by_side(clickhouse: ClickHouse, client: Client) -> None:
    slow = threading.Thread(target=run_until_cancelled, args=(clickhouse,))
    slow.start()
    wait_until_running(client, "beside", True)
    # All of this while the other query runs.
    assert client.execute("SELECT sum(number) FROM numbers(1000)") == [(499500,)]
    assert running(client, "beside")
    client.execute("KILL QUERY WHERE query LIKE '%beside%' AND query NOT LIKE '%KILL%' ASYNC")
    slow.join(30)
    assert not slow.is_alive()


def run_until_cancelled(clickhouse: ClickHouse) -> None:
    with clickhouse.client() as client, pytest.raises(ServerException) as caught:
        client.execute(f"{SLOW} /* beside */")
    assert caught.value.code == ErrorCodes.QUERY_WAS_CANCELLED
