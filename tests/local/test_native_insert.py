"""Inserts through clickhouse-driver: the same on the embedded engine and on a real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

from tests.support.stack import ClickHouse

TOO_MANY_PARTS = 252
VIOLATED_CONSTRAINT = 469


@pytest.fixture
def client(clickhouse: ClickHouse, database: str) -> Iterator[Client]:
    with clickhouse.client(database) as client:
        yield client


@pytest.fixture
def table(client: Client) -> str:
    client.execute(
        "CREATE TABLE t (n UInt32, s LowCardinality(String), d UInt32 DEFAULT n * 2, m UInt32 MATERIALIZED n + 1)"
        " ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 100"
    )
    return "t"


ROWS = [(number, f"s{number % 3}", 5) for number in range(1000)]


def count(client: Client, table: str = "t") -> int:
    return int(client.execute(f"SELECT count() FROM {table}")[0][0])


def parts(client: Client) -> list[int]:
    query = "SELECT rows FROM system.parts WHERE database = currentDatabase() AND table = 't' AND active ORDER BY name"
    return [rows for (rows,) in client.execute(query)]


@pytest.mark.usefixtures("table")
class TestShapes:
    """What may stand behind INSERT."""

    def test_rows(self, client: Client) -> None:
        assert client.execute("INSERT INTO t VALUES", ROWS) == 1000
        assert client.execute("SELECT * FROM t ORDER BY n") == ROWS

    def test_columns(self, client: Client) -> None:
        columns: list[Any] = [list(column) for column in zip(*ROWS, strict=True)]
        assert client.execute("INSERT INTO t VALUES", columns, columnar=True) == 1000
        assert client.execute("SELECT * FROM t ORDER BY n") == ROWS

    def test_dictionaries_and_listed_columns(self, client: Client) -> None:
        client.execute("INSERT INTO `t` (`s`, n) VALUES", [{"n": 4, "s": "x"}])
        assert client.execute("SELECT n, s, d, m FROM t") == [(4, "x", 8, 5)]

    def test_all_columns_except(self, client: Client) -> None:
        client.execute("INSERT INTO t (* EXCEPT (d)) VALUES", [(4, "x")])
        assert client.execute("SELECT n, s, d FROM t") == [(4, "x", 8)]

    def test_settings_in_the_statement(self, client: Client) -> None:
        for _ in range(2):
            client.execute("INSERT INTO t (n, s) SETTINGS insert_deduplication_token = 'x' VALUES", [(4, "x")])
        assert count(client) == 1

    def test_nothing(self, client: Client) -> None:
        assert client.execute("INSERT INTO t VALUES", []) == 0
        assert count(client) == 0

    def test_one_block_becomes_one_part(self, client: Client) -> None:
        columns: list[Any] = [range(150_000), ["x"] * 150_000]
        client.execute("INSERT INTO t (n, s) VALUES", [list(column) for column in columns], columnar=True)
        assert parts(client) == [150_000]

    def test_many_blocks(self, client: Client) -> None:
        client.execute("INSERT INTO t VALUES", iter_rows(), settings={"insert_block_size": 64})
        assert client.execute("SELECT count(), sum(n) FROM t") == [(1000, 499500)]

    def test_insert_select(self, client: Client) -> None:
        client.execute("INSERT INTO t (n, s) SELECT number, 'x' FROM numbers(10)")
        assert count(client) == 10

    def test_lz4(self, clickhouse: ClickHouse, client: Client, database: str) -> None:
        with clickhouse.client(database, compression="lz4") as compressed:
            compressed.execute("INSERT INTO t VALUES", ROWS)
        assert client.execute("SELECT * FROM t ORDER BY n") == ROWS

    def test_not_asynchronous(self, client: Client) -> None:
        client.execute("INSERT INTO t VALUES", ROWS, settings={"async_insert": 0})
        assert count(client) == 1000

    @pytest.mark.parametrize(
        ("statement", "code"),
        [
            ("INSERT INTO no_such_table VALUES", ErrorCodes.UNKNOWN_TABLE),
            ("INSERT INTO no_such_database.t VALUES", ErrorCodes.UNKNOWN_DATABASE),
            ("INSERT INTO t (nope) VALUES", ErrorCodes.NO_SUCH_COLUMN_IN_TABLE),
        ],
    )
    def test_errors_before_the_data(self, client: Client, statement: str, code: int) -> None:
        with pytest.raises(ServerException) as caught:
            client.execute(statement, [(1,)])
        assert caught.value.code == code
        assert client.execute("SELECT 1") == [(1,)]

    def test_errors_of_the_data(self, client: Client) -> None:
        client.execute("ALTER TABLE t ADD CONSTRAINT small CHECK n < 10")
        with pytest.raises(ServerException) as caught:
            client.execute("INSERT INTO t VALUES", ROWS)
        assert caught.value.code == VIOLATED_CONSTRAINT
        client.execute("INSERT INTO t VALUES", ROWS[:10])
        assert count(client) == 10

    def test_an_error_in_a_view_is_an_error(self, client: Client) -> None:
        client.execute("CREATE MATERIALIZED VIEW v ENGINE = Null AS SELECT throwIf(n = 7) FROM t")
        with pytest.raises(ServerException) as caught:
            client.execute("INSERT INTO t VALUES", ROWS)
        assert caught.value.code == 395

    def test_too_many_partitions(self, client: Client) -> None:
        client.execute("CREATE TABLE p (n UInt32) ENGINE = MergeTree ORDER BY n PARTITION BY n")
        with pytest.raises(ServerException) as caught:
            client.execute("INSERT INTO p VALUES", [(number,) for number in range(101)])
        assert caught.value.code == TOO_MANY_PARTS
        assert count(client, "p") == 0

    def test_a_client_that_leaves_before_the_end_stores_nothing(
        self, clickhouse: ClickHouse, client: Client, database: str
    ) -> None:
        leaving = clickhouse.client(database)
        leaving.execute("SELECT 1")
        leaving.connection.send_query("INSERT INTO t VALUES")
        leaving.connection.send_external_tables(None)
        sample = leaving.receive_sample_block()
        leaving.connection.send_data(block_of(sample, ROWS))
        leaving.disconnect()
        client.execute("INSERT INTO t VALUES", ROWS[:1])
        assert count(client) == 1


def iter_rows() -> Iterator[tuple[int, str, int]]:
    yield from ROWS


def block_of(sample: Any, rows: list[Any]) -> Any:
    from clickhouse_driver.block import RowOrientedBlock

    return RowOrientedBlock(sample.columns_with_types, rows)


@pytest.fixture
def views(client: Client, table: str) -> None:
    client.execute(
        "CREATE TABLE sums (s String, amount UInt64, total UInt64) ENGINE = SummingMergeTree ORDER BY s"
        " SETTINGS non_replicated_deduplication_window = 100"
    )
    client.execute(
        f"CREATE MATERIALIZED VIEW view TO sums AS SELECT s, count() AS amount, sum(n) AS total FROM {table} GROUP BY s"
    )


def insert(client: Client, token: str, rows: list[tuple[int, str, int]] = ROWS) -> None:
    settings = {
        "insert_deduplication_token": token,
        "deduplicate_blocks_in_dependent_materialized_views": 1,
        "async_insert": 0,
        "optimize_on_insert": 0,
    }
    client.execute("INSERT INTO t VALUES", rows, settings=settings)


@pytest.mark.usefixtures("views")
class TestTokens:
    """What exactly-once rests on."""

    def test_one_token_counts_once_in_table_and_view(self, client: Client) -> None:
        for _ in range(3):
            insert(client, "one")
        assert count(client) == 1000
        assert client.execute("SELECT sum(amount) FROM sums") == [(1000,)]

    def test_a_token_holds_for_its_insert_only(self, client: Client) -> None:
        insert(client, "one")
        client.execute("INSERT INTO t VALUES", [(1, "other", 1)])
        client.execute("INSERT INTO t VALUES", [(2, "other", 2)])
        insert(client, "two")
        insert(client, "one")
        assert count(client) == 2002
        assert client.execute("SELECT sum(amount) FROM sums") == [(2002,)]

    def test_tokens_of_clients_side_by_side(self, clickhouse: ClickHouse, client: Client, database: str) -> None:
        def work(name: str) -> None:
            with clickhouse.client(database) as own:
                for number in range(5):
                    insert(own, f"{name}{number}")
                    insert(own, f"{name}{number}")

        threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert count(client) == 15_000
        assert client.execute("SELECT sum(amount) FROM sums") == [(15_000,)]
