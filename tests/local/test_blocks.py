"""Blocks between wire and engine, checked against clickhouse-driver's own codec."""

from __future__ import annotations

import decimal
import ipaddress
import uuid
from io import BytesIO
from typing import Any

import pytest
from clickhouse_driver.block import ColumnOrientedBlock
from clickhouse_driver.bufferedreader import CompressedBufferedReader
from clickhouse_driver.bufferedwriter import CompressedBufferedWriter
from clickhouse_driver.streams.native import BlockInputStream, BlockOutputStream
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.local.engine.blocks import read_block, wire_blocks
from sendtrail.local.engine.columns import column
from sendtrail.local.engine.errors import EngineError, ProtocolError
from sendtrail.local.engine.wire import REVISION, undump


class Context:
    """What the driver's codec asks of its context."""

    class ServerInfo:
        used_revision = REVISION

        @staticmethod
        def get_timezone() -> str:
            return "UTC"

    server_info = ServerInfo()
    settings: dict[str, Any] = {}
    client_settings = {"strings_as_bytes": False, "strings_encoding": "utf-8", "use_numpy": False}


TEXT = st.text(max_size=20)
TYPES: dict[str, st.SearchStrategy[Any]] = {
    "UInt8": st.integers(0, 255),
    "Int64": st.integers(-(2**63), 2**63 - 1),
    "UInt256": st.integers(0, 2**256 - 1),
    "String": TEXT,
    "FixedString(3)": st.text("abc", min_size=3, max_size=3),
    "UUID": st.uuids().map(lambda value: uuid.UUID(int=value.int)),
    "IPv6": st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address),
    "Enum8('a' = 1, 'b,)(' = 2)": st.sampled_from(["a", "b,)("]),
    "Decimal(18, 2)": st.integers(-(10**15), 10**15).map(lambda n: decimal.Decimal(n).scaleb(-2)),
    "Nullable(String)": st.none() | TEXT,
    "LowCardinality(String)": st.sampled_from(["a", "b", ""]),
    "LowCardinality(Nullable(String))": st.none() | st.sampled_from(["a", "b", ""]),
    "Array(Array(UInt16))": st.lists(st.lists(st.integers(0, 65535), max_size=3), max_size=3),
    "Array(LowCardinality(String))": st.lists(st.sampled_from(["x", "y"]), max_size=3),
    "Map(String, UInt8)": st.dictionaries(TEXT, st.integers(0, 255), max_size=3),
    "Tuple(UInt8, String)": st.tuples(st.integers(0, 255), TEXT),
    "Tuple(a UInt8, `b c` Nullable(String))": st.tuples(st.integers(0, 255), st.none() | TEXT),
}


@st.composite
def blocks(draw: st.DrawFn) -> tuple[list[tuple[str, str]], list[list[Any]]]:
    names = draw(st.lists(st.sampled_from(sorted(TYPES)), min_size=1, max_size=6))
    rows = draw(st.integers(1, 8))
    columns = [draw(st.lists(TYPES[name], min_size=rows, max_size=rows)) for name in names]
    return [(f"c{index}", name) for index, name in enumerate(names)], columns


def write(columns: list[tuple[str, str]], data: list[list[Any]]) -> bytes:
    buffer = BytesIO()
    stream = BlockOutputStream(CompressedBufferedWriter(buffer, 1 << 16), Context())
    stream.write(ColumnOrientedBlock(columns, [list(values) for values in data]))
    return buffer.getvalue()


def reader(data: bytes) -> CompressedBufferedReader:
    pieces = iter((data,))
    return CompressedBufferedReader(lambda: next(pieces, b""), 1 << 16)


@given(blocks())
def test_a_block_survives_the_way_in_and_out(block: tuple[list[tuple[str, str]], list[list[Any]]]) -> None:
    columns, data = block
    wire = write(columns, data)
    shape, engine = read_block(reader(wire))
    assert (list(shape.columns), shape.rows) == (columns, len(data[0]))
    ((again, written),) = wire_blocks(engine)
    assert again == shape
    assert written == wire
    read = BlockInputStream(reader(written), Context()).read()
    assert [list(values) for values in read.data] == data


@given(blocks(), blocks())
def test_several_blocks_in_one_piece(first: Any, second: Any) -> None:
    wires = [write(*first), write(*second)]
    engine = b"".join(read_block(reader(wire))[1] for wire in wires)
    assert [written for _, written in wire_blocks(engine)] == wires


def test_an_empty_block() -> None:
    shape, engine = read_block(reader(b"\x01\x00\x02\xff\xff\xff\xff\x00\x00\x00"))
    assert (shape.columns, shape.rows, engine) == ((), 0, b"\x00\x00")


def test_a_sparse_column_is_refused() -> None:
    with pytest.raises(ProtocolError):
        read_block(reader(b"\x00\x01\x01\x01a\x05UInt8\x01\x01\x00"))


@pytest.mark.parametrize("type_name", ["JSON", "AggregateFunction(sum, UInt8)", "Dynamic", "Array(Variant(UInt8))"])
def test_a_type_that_can_t_be_carried_is_named(type_name: str) -> None:
    with pytest.raises(EngineError, match="is not carried"):
        column(type_name)


@pytest.mark.parametrize(
    ("dumped", "text"),
    [("'it\\'s'", "it's"), ("'a\\\\nb'", "a\\nb"), ("'a\\nb'", "a\nb"), ("5", "5"), ("''", ""), ("'", "'")],
)
def test_dumped_fields(dumped: str, text: str) -> None:
    assert undump(dumped) == text
