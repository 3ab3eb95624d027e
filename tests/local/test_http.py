"""The HTTP interface: the same on the embedded engine and on a real server."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.support.stack import ClickHouse


@pytest.fixture
def http(clickhouse: ClickHouse, database: str) -> Iterator[httpx.Client]:
    log_in = {"X-ClickHouse-User": clickhouse.user, "X-ClickHouse-Key": clickhouse.password}
    with httpx.Client(base_url=clickhouse.http, headers=log_in, params={"database": database}) as client:
        client.post("/", content="CREATE TABLE t (n UInt32, s String) ENGINE = MergeTree ORDER BY n")
        yield client


def ask(http: httpx.Client, query: str, **params: str) -> str:
    answer = http.post("/", params=http.params.merge(params), content=query)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_ping_needs_no_log_in(clickhouse: ClickHouse) -> None:
    assert httpx.get(f"{clickhouse.http}/ping").text == "Ok.\n"


def test_get_and_post(http: httpx.Client) -> None:
    assert http.get("/", params=http.params.merge({"query": "SELECT 1"})).text == "1\n"
    assert ask(http, "SELECT 1, 'x'") == "1\tx\n"
    split = http.post("/", params=http.params.merge({"query": "SELECT 1 +"}), content=" 2")
    assert split.text == "3\n"


def test_formats(http: httpx.Client) -> None:
    answer = http.post("/", content="SELECT 1 AS a FORMAT JSON")
    assert answer.headers["X-ClickHouse-Format"] == "JSON"
    assert answer.headers["Content-Type"].startswith("application/json")
    assert json.loads(answer.text)["data"] == [{"a": 1}]
    assert ask(http, "SELECT 1 AS a", default_format="CSVWithNames") == '"a"\n1\n'
    assert ask(http, "SELECT 1 AS a FORMAT TSV", default_format="JSON") == "1\n"
    assert ask(http, "SELECT 1 WHERE 0 FORMAT JSONEachRow") == ""
    assert json.loads(ask(http, "SELECT 1 AS a WHERE 0 FORMAT JSON"))["meta"] == [{"name": "a", "type": "UInt8"}]


@pytest.mark.parametrize("output_format", ["TabSeparated", "CSVWithNames", "JSONCompact", "RowBinary", "Parquet"])
def test_a_big_result_is_one_document(http: httpx.Client, output_format: str) -> None:
    whole = http.post("/", content=f"SELECT number FROM numbers(300000) FORMAT {output_format}").content
    if output_format == "TabSeparated":
        assert whole.splitlines() == [str(number).encode() for number in range(300000)]
    elif output_format == "CSVWithNames":
        assert whole.splitlines() == [b'"number"', *(str(number).encode() for number in range(300000))]
    elif output_format == "JSONCompact":
        assert len(json.loads(whole)["data"]) == 300000
    elif output_format == "RowBinary":
        assert len(whole) == 8 * 300000
    else:
        assert whole.startswith(b"PAR1")
        assert whole.endswith(b"PAR1")


@pytest.mark.parametrize("statement", ["DESCRIBE TABLE t", "SHOW TABLES", "EXISTS TABLE t", "EXPLAIN SELECT 1"])
@pytest.mark.parametrize("output_format", ["TSV", "Native", "JSON"])
def test_other_statements_with_results(http: httpx.Client, statement: str, output_format: str) -> None:
    assert http.post("/", content=f"{statement} FORMAT {output_format}").status_code == 200
    assert ask(http, statement, default_format=output_format)


def test_parameters(http: httpx.Client) -> None:
    query = "SELECT {n:UInt8} + 1, {s:String}, {l:Array(String)}"
    assert ask(http, query, param_n="4", param_s="it's\\n", param_l="['a','b']") == "5\tit\\'s\\n\t['a','b']\n"


def test_settings(http: httpx.Client) -> None:
    assert ask(http, "SELECT getSetting('max_block_size')", max_block_size="1234") == "1234\n"
    answer = http.post("/", params=http.params.merge({"no_such_setting": "1"}), content="SELECT 1")
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (404, "115")


@pytest.mark.parametrize(
    ("query", "data"),
    [
        ("INSERT INTO t FORMAT JSONEachRow", b'{"n": 1, "s": "x"}\n{"n": 2, "s": "y"}\n'),
        ("INSERT INTO t FORMAT CSV", b'1,"x"\n2,"y"\n'),
        ("INSERT INTO t (s, n) FORMAT TSV", b"x\t1\ny\t2\n"),
        ("INSERT INTO t VALUES", b"(1, 'x'), (2, 'y')"),
        ("INSERT INTO t FORMAT RowBinary", b"\x01\0\0\0\x01x\x02\0\0\0\x01y"),
    ],
)
@pytest.mark.parametrize("together", [False, True])
def test_inserts(http: httpx.Client, query: str, data: bytes, together: bool) -> None:
    if together:
        answer = http.post("/", content=query.encode() + b"\n" + data)
    else:
        answer = http.post("/", params=http.params.merge({"query": query}), content=data)
    assert answer.status_code == 200, answer.text
    assert ask(http, "SELECT * FROM t ORDER BY n") == "1\tx\n2\ty\n"


def test_a_compressed_body(http: httpx.Client) -> None:
    params = http.params.merge({"query": "INSERT INTO t FORMAT CSV"})
    data = gzip.compress(b"1,x\n2,y\n")
    assert http.post("/", params=params, content=data, headers={"Content-Encoding": "gzip"}).status_code == 200
    assert ask(http, "SELECT count() FROM t") == "2\n"


def test_a_token_through_http(http: httpx.Client) -> None:
    ask(http, "CREATE TABLE d (n UInt8) ENGINE = MergeTree ORDER BY n SETTINGS non_replicated_deduplication_window = 9")
    for _ in range(2):
        ask(http, "INSERT INTO d VALUES (1)", insert_deduplication_token="one", async_insert="0")
    assert ask(http, "SELECT count() FROM d") == "1\n"


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("SELECT nope", 404, 47),
        ("SELECT * FROM no_such_table", 404, 60),
        ("SELECT 1 +", 400, 62),
        ("SELECT 1; SELECT 2", 400, 62),
        ("SELECT toUInt8('x')", 400, 6),
        ("INSERT INTO no_such_table VALUES (1)", 404, 60),
        ("INSERT INTO t FORMAT CSV\nx,y,z\n", 400, 27),
        ("SELECT throwIf(1)", 500, 395),
    ],
)
def test_errors(http: httpx.Client, query: str, status: int, code: int) -> None:
    answer = http.post("/", content=query)
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (status, str(code))
    assert answer.text.startswith(f"Code: {code}. DB::Exception: ")


def test_get_only_reads(http: httpx.Client) -> None:
    answer = http.get("/", params=http.params.merge({"query": "INSERT INTO t VALUES (1, 'x')"}))
    assert answer.headers["X-ClickHouse-Exception-Code"] == "164"
    assert ask(http, "SELECT count() FROM t") == "0\n"


def test_ways_to_log_in(clickhouse: ClickHouse) -> None:
    user, password = clickhouse.user, clickhouse.password
    for answer in (
        httpx.get(clickhouse.http, params={"query": "SELECT 1"}, auth=(user, password)),
        httpx.get(clickhouse.http, params={"query": "SELECT 1", "user": user, "password": password}),
    ):
        assert answer.text == "1\n"


@pytest.mark.parametrize("headers", [{}, {"X-ClickHouse-Key": "wrong"}, {"Authorization": "Basic !"}])
def test_no_way_without_the_password(clickhouse: ClickHouse, headers: dict[str, str]) -> None:
    answer = httpx.get(clickhouse.http, params={"query": "SELECT 1"}, headers=headers)
    assert answer.status_code in (401, 403)
    assert "1\n" not in answer.text


def test_a_query_ends_when_its_client_leaves(http: httpx.Client) -> None:
    slow = "SELECT count() FROM numbers(200000000000) WHERE sipHash64(number) = 2 /* left alone */"
    with pytest.raises(httpx.ReadTimeout):
        http.post("/", content=slow, timeout=1)
    deadline = time.monotonic() + 30
    query = "SELECT count() FROM system.processes WHERE query LIKE '%left alone%' AND query NOT LIKE '%processes%'"
    while ask(http, query) != "0\n":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_error_amid_a_result_breaks_it_off(http: httpx.Client) -> None:
    query = "SELECT throwIf(number = 500000) FROM numbers(1000000) SETTINGS max_threads = 1 FORMAT RowBinary"
    with pytest.raises(httpx.RemoteProtocolError):
        http.post("/", content=query)
    assert ask(http, "SELECT 1") == "1\n"


def test_clients_run_side_by_side(http: httpx.Client) -> None:
    failures = []

    def work() -> None:
        for number in range(20):
            if ask(http, f"SELECT sum(number) FROM numbers({number}) FORMAT TSV") != f"{sum(range(number))}\n":
                failures.append(number)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
