"""The loader's own way to write a block: byte for byte what the driver writes, and what the engine reads."""

import struct
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from clickhouse_driver.bufferedwriter import CompressedBufferedWriter
from clickhouse_driver.columns.service import write_column
from clickhouse_driver.context import Context
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.clickhouse import connect
from sinks.native import BlockClient, encode
from tests.support.line import clickhouse_settings
from tests.support.stack import ClickHouse

KINDS = "Enum8('' = 0, 'open' = 1, 'click' = 2, 'sent' = 11)"


def context() -> Any:
    made = Context()
    made.server_info = SimpleNamespace(used_revision=54_459, get_timezone=lambda: "UTC")
    made.settings = {}
    made.client_settings = {
        "strings_as_bytes": False, "strings_encoding": "utf-8", "use_numpy": False,
        "input_format_null_as_default": False,
    }  # fmt: skip
    return made


def written(write: Any, type_: str, values: list[Any]) -> bytes:
    buffer = BytesIO()
    sink = CompressedBufferedWriter(buffer, 1 << 16)
    write(context(), "c", type_, list(values), sink)
    sink.flush()
    return buffer.getvalue()


def check(type_: str, values: list[Any]) -> None:
    assert written(encode, type_, values) == written(write_column, type_, values)


@given(st.lists(st.text(max_size=3), min_size=1) | st.lists(st.just("same"), min_size=1))
def test_texts_of_few_values(values: list[str]) -> None:
    check("LowCardinality(String)", values)


@pytest.mark.parametrize("different", [1, 255, 256, 257, 65_535, 65_536, 70_000])
def test_the_width_of_keys(different: int) -> None:
    check("LowCardinality(String)", [str(number) for number in (*range(different), *range(different))])


@given(st.lists(st.sampled_from([0, 1, 2, 11]), min_size=1))
def test_enums_as_numbers(values: list[int]) -> None:
    check(KINDS, values)


@given(st.lists(st.integers(0, 4_294_967_295_999), min_size=1))
def test_times_in_milliseconds(values: list[int]) -> None:
    check("DateTime64(3, 'UTC')", values)


@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1))
def test_ids(values: list[bytes]) -> None:
    check("FixedString(16)", values)


@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("String", ["a", "é", ""]),
        ("UInt64", [0, 2**64 - 1]),
        ("UInt128", [0, 2**128 - 1]),
        ("Nullable(UInt64)", [None, 0, 7]),
        ("Array(LowCardinality(String))", [["a", "b"], [], ["a"]]),
        ("Map(String, String)", [{"a": "1"}, {}]),
    ],
)
def test_other_types_are_the_drivers(type_: str, values: list[Any]) -> None:
    check(type_, values)


def test_a_value_that_does_not_fit_is_an_error() -> None:
    with pytest.raises((OverflowError, struct.error)):
        written(encode, KINDS, [128])


@pytest.mark.stack
@pytest.mark.parametrize("compression", [True, False])
def test_the_engine_reads_it(clickhouse: ClickHouse, database: str, compression: bool) -> None:
    settings = clickhouse_settings(clickhouse, database).model_copy(update={"compression": compression})
    with connect(settings, kind=BlockClient) as client:
        client.execute(
            f"CREATE TABLE t (k {KINDS}, at DateTime64(3, 'UTC'), n String, c LowCardinality(String)) ENGINE = Memory"
        )
        data = [[1, 11, 0], [1_790_000_000_123, 0, 1], ["a", "", "ü"], ["x", "x", "y"]]
        assert client.execute("INSERT INTO t (k, at, n, c) VALUES", data, columnar=True) == 3
        found = client.execute("SELECT toInt8(k), toUnixTimestamp64Milli(at), n, c FROM t")
        assert found == list(zip(*data, strict=True))
        client.execute("INSERT INTO t (n) VALUES", [("row by row",)])
        assert client.execute("SELECT count() FROM t") == [(4,)]
