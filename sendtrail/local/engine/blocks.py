"""Native blocks: from the wire (with block info and a serialisation byte per column) to the engine, and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from clickhouse_driver.bufferedreader import CompressedBufferedReader
from clickhouse_driver.bufferedwriter import CompressedBufferedWriter
from clickhouse_driver.reader import read_binary_str, read_binary_uint8
from clickhouse_driver.varint import read_varint, write_varint
from clickhouse_driver.writer import write_binary_str, write_binary_uint8

from sendtrail.local.engine.columns import column
from sendtrail.local.engine.errors import NOT_IMPLEMENTED, ProtocolError

_BUFFER_BYTES = 1 << 20
# Block info of a whole, unordered block: field 1 (is_overflows) = 0, field 2 (bucket) = -1, end.
_BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"

Columns = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Shape:
    """Names and types of a block's columns, and its number of rows."""

    columns: Columns
    rows: int


def read_block(source: Any) -> tuple[Shape, bytes]:
    """Read one block of the wire; the bytes are the same block in the engine's Native form (revision 0).

    ProtocolError for a serialisation, EngineError for a type, that can't be carried.
    """
    _skip_block_info(source)
    buffer = BytesIO()
    sink = CompressedBufferedWriter(buffer, _BUFFER_BYTES)
    count, rows = read_varint(source), read_varint(source)
    write_varint(count, sink)
    write_varint(rows, sink)
    columns = []
    for _ in range(count):
        name, type_name = read_binary_str(source), read_binary_str(source)
        if read_binary_uint8(source):
            text = f"Column {name} comes in a serialisation that the embedded engine does not read"
            raise ProtocolError(NOT_IMPLEMENTED, f"DB::Exception: {text} (NOT_IMPLEMENTED)")
        write_binary_str(name, sink)
        write_binary_str(type_name, sink)
        columns.append((name, type_name))
        if rows:
            column(type_name).copy(rows, source, sink)
    sink.flush()
    return Shape(tuple(columns), rows), buffer.getvalue()


def _skip_block_info(source: Any) -> None:
    while field := read_varint(source):
        source.read(1 if field == 1 else 4)


def write_header(columns: Columns, sink: Any) -> None:
    """Write a block without rows: names and types only."""
    sink.write(_BLOCK_INFO)
    write_varint(len(columns), sink)
    write_varint(0, sink)
    for name, type_name in columns:
        _write_column_head(name, type_name, sink)


def _write_column_head(name: str, type_name: str, sink: Any) -> None:
    write_binary_str(name, sink)
    write_binary_str(type_name, sink)
    write_binary_uint8(0, sink)


def wire_blocks(data: bytes, columns: Columns | None = None) -> Iterator[tuple[Shape, bytes]]:
    """The blocks in a piece of the engine's Native output, in the form of the wire.

    `columns`, if given, are written instead of the names and types found.
    """
    pieces = iter((data,))
    source = CompressedBufferedReader(lambda: next(pieces, b""), _BUFFER_BYTES)
    left = bool(data)
    while left:
        yield _wire_block(source, columns)
        left = source.position < source.current_buffer_size


def _wire_block(source: Any, columns: Columns | None) -> tuple[Shape, bytes]:
    buffer = BytesIO()
    sink = CompressedBufferedWriter(buffer, _BUFFER_BYTES)
    sink.write(_BLOCK_INFO)
    count, rows = read_varint(source), read_varint(source)
    write_varint(count, sink)
    write_varint(rows, sink)
    written = []
    for index in range(count):
        found = read_binary_str(source), read_binary_str(source)
        name, type_name = columns[index] if columns else found
        written.append((name, type_name))
        _write_column_head(name, type_name, sink)
        if rows:
            column(found[1]).copy(rows, source, sink)
    sink.flush()
    return Shape(tuple(written), rows), buffer.getvalue()
