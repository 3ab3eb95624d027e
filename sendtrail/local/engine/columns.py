"""Copies Native columns from a reader to a writer without decoding values.

Layout per type: ClickHouse's ISerialization for the Native format, revision 0. Readers and writers are
clickhouse-driver's buffered ones, whose strings are handled in C.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from struct import unpack
from typing import Any

from sendtrail.local.engine.errors import NOT_IMPLEMENTED, EngineError, engine_error
from sendtrail.local.engine.statements import Token, tokens

_FIXED = {
    **dict.fromkeys(("Int8", "UInt8", "Bool", "Enum8", "Nothing"), 1),
    **dict.fromkeys(("Int16", "UInt16", "Enum16", "Date", "BFloat16"), 2),
    **dict.fromkeys(("Int32", "UInt32", "Float32", "Date32", "DateTime", "IPv4", "Decimal32", "Time"), 4),
    **dict.fromkeys(("Int64", "UInt64", "Float64", "DateTime64", "Decimal64", "Time64"), 8),
    **dict.fromkeys(("Int128", "UInt128", "UUID", "IPv6", "Decimal128"), 16),
    **dict.fromkeys(("Int256", "UInt256", "Decimal256"), 32),
}
_ALIASES = {
    "Point": "Tuple(Float64, Float64)",
    "Ring": "Array(Point)",
    "LineString": "Array(Point)",
    "MultiLineString": "Array(LineString)",
    "Polygon": "Array(Ring)",
    "MultiPolygon": "Array(Polygon)",
}
_DECIMAL_BYTES = ((9, 4), (18, 8), (38, 16), (76, 32))
_KEY_TYPE = 0xFF

Copy = Callable[[int, Any, Any], None]


class Column:
    """How to copy one type: a state prefix once per block (if rows follow), then `rows` values."""

    def __init__(self, data: Copy, prefix: Callable[[Any, Any], None] | None = None) -> None:
        self.data = data
        self.prefix = prefix

    def copy(self, rows: int, source: Any, sink: Any) -> None:
        """Copy a whole column of a block with `rows` > 0 rows."""
        if self.prefix is not None:
            self.prefix(source, sink)
        self.data(rows, source, sink)


@lru_cache(maxsize=4096)
def column(type_name: str) -> Column:
    """The copier of a type. EngineError (NOT_IMPLEMENTED) for types the fronts can't carry."""
    name, arguments = _split(type_name)
    if name in _FIXED:
        return _fixed(_FIXED[name])
    if name.startswith("Interval"):
        return _fixed(8)
    if name in _ALIASES:
        return column(_ALIASES[name])
    maker = _MAKERS.get(name)
    if maker is None:
        raise _unsupported(type_name)
    return maker(arguments)


def _unsupported(type_name: str) -> EngineError:
    text = f"Type {type_name} is not carried by the embedded engine's native protocol"
    return engine_error(NOT_IMPLEMENTED, text, "NOT_IMPLEMENTED")


def _split(type_name: str) -> tuple[str, list[str]]:
    """Name and arguments of a type: `Map(String, Array(Int8))` is ("Map", ["String", "Array(Int8)"])."""
    name, bracket, rest = type_name.strip().partition("(")
    if not bracket:
        return name, []
    inner = rest[: rest.rindex(")")]
    arguments, start, depth = [], 0, 0
    for token in tokens(inner):
        depth += token.is_mark("(") - token.is_mark(")")
        if depth == 0 and token.is_mark(","):
            arguments.append(inner[start : token.start])
            start = token.end
    if inner.strip():
        arguments.append(inner[start:])
    return name, [argument.strip() for argument in arguments]


def _element_type(argument: str) -> str:
    """The type of a tuple element, "name Type" or "Type"."""
    parts: list[Token] = []
    for token in tokens(argument):
        parts.append(token)
        if len(parts) == 2:
            break
    if len(parts) == 2 and (parts[0].kind == "quoted" or parts[1].kind == "word"):
        return argument[parts[0].end :].strip()
    return argument


def _fixed(size: int) -> Column:
    def copy(rows: int, source: Any, sink: Any) -> None:
        sink.write(source.read(rows * size))

    return Column(copy)


def _fixed_string(arguments: list[str]) -> Column:
    return _fixed(int(arguments[0]))


def _decimal(arguments: list[str]) -> Column:
    precision = int(arguments[0])
    return _fixed(next(size for limit, size in _DECIMAL_BYTES if precision <= limit))


def _string(_: list[str]) -> Column:
    def copy(rows: int, source: Any, sink: Any) -> None:
        if rows:
            sink.write_strings(source.read_strings(rows))

    return Column(copy)


def _nullable(arguments: list[str]) -> Column:
    nested = column(arguments[0])

    def copy(rows: int, source: Any, sink: Any) -> None:
        sink.write(source.read(rows))
        nested.data(rows, source, sink)

    return Column(copy, nested.prefix)


def _array_of(nested: Column) -> Column:
    def copy(rows: int, source: Any, sink: Any) -> None:
        if rows:
            offsets = source.read(rows * 8)
            sink.write(offsets)
            nested.data(unpack("<Q", offsets[-8:])[0], source, sink)

    return Column(copy, nested.prefix)


def _array(arguments: list[str]) -> Column:
    return _array_of(column(arguments[0]))


def _tuple(arguments: list[str]) -> Column:
    if not arguments:
        return _fixed(1)
    elements = [column(_element_type(argument)) for argument in arguments]
    prefixes = [element.prefix for element in elements if element.prefix is not None]

    def copy_prefix(source: Any, sink: Any) -> None:
        for prefix in prefixes:
            prefix(source, sink)

    def copy(rows: int, source: Any, sink: Any) -> None:
        for element in elements:
            element.data(rows, source, sink)

    return Column(copy, copy_prefix if prefixes else None)


def _array_of_tuple(arguments: list[str]) -> Column:
    return _array_of(_tuple(arguments))


def _low_cardinality(arguments: list[str]) -> Column:
    inner = re.sub(r"^Nullable\((.*)\)$", r"\1", arguments[0], flags=re.DOTALL)
    dictionary = column(inner)

    def copy_prefix(source: Any, sink: Any) -> None:
        sink.write(source.read(8))

    def copy(rows: int, source: Any, sink: Any) -> None:
        if not rows:
            return
        head = source.read(16)
        sink.write(head)
        flags, keys = unpack("<QQ", head)
        dictionary.data(keys, source, sink)
        count = source.read(8)
        sink.write(count)
        sink.write(source.read(unpack("<Q", count)[0] << (flags & _KEY_TYPE)))

    return Column(copy, copy_prefix)


def _simple_aggregate(arguments: list[str]) -> Column:
    return column(arguments[1])


_MAKERS: dict[str, Callable[[list[str]], Column]] = {
    "String": _string,
    "FixedString": _fixed_string,
    "Decimal": _decimal,
    "Nullable": _nullable,
    "Array": _array,
    "Map": _array_of_tuple,
    "Nested": _array_of_tuple,
    "Tuple": _tuple,
    "LowCardinality": _low_cardinality,
    "SimpleAggregateFunction": _simple_aggregate,
}
