"""Columns -> one block of ClickHouse's native protocol, in half the time that clickhouse-driver takes.

The driver turns every value of some types over one by one; here they are packed as they are: enums and times are
numbers already, and of a text of few values each is written once. Other types are the driver's own, and every byte is
the one that the driver would send (tested).
"""

from array import array
from collections.abc import Callable, Sequence
from typing import Any, Final

from clickhouse_driver import Client
from clickhouse_driver.block import BlockInfo, ColumnOrientedBlock
from clickhouse_driver.columns.service import write_column
from clickhouse_driver.defines import DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION
from clickhouse_driver.protocol import ClientPacketTypes
from clickhouse_driver.varint import write_varint
from clickhouse_driver.writer import write_binary_int64, write_binary_str, write_binary_uint8

Values = Sequence[Any]
Columns = Sequence[tuple[str, str]]  # name, type

_KEYS_VERSION: Final = 1
_OWN_DICTIONARY: Final = 0x600  # the block brings its keys, which replace earlier ones
_WIDTHS: Final = ((1 << 8, "B"), (1 << 16, "H"), (1 << 32, "I"))


class BlockClient(Client):  # type: ignore[misc]  # clickhouse-driver has no type hints
    """A client whose inserts by columns are one block each, of whatever size."""

    def send_data(self, sample_block: Any, data: Any, types_check: bool = False, columnar: bool = False) -> int:
        """Send the data of an insert; returns the number of rows. Called by `execute`."""
        if not columnar or types_check:
            return int(super().send_data(sample_block, data, types_check, columnar))
        columns = sample_block.columns_with_types
        _send(self.connection, columns, data)
        self.receive_profile_events()
        self.connection.send_data(ColumnOrientedBlock())  # the end of the data
        self.receive_profile_events()
        return len(data[0])


def _send(connection: Any, columns: Columns, data: Sequence[Values]) -> None:
    write_varint(ClientPacketTypes.DATA, connection.fout)
    write_binary_str("", connection.fout)
    sink, told = connection.block_out.fout, connection.server_info.used_revision
    BlockInfo().write(sink)
    write_varint(len(columns), sink)
    write_varint(len(data[0]), sink)
    for (name, type_), values in zip(columns, data, strict=True):
        write_binary_str(name, sink)
        write_binary_str(type_, sink)
        if told >= DBMS_MIN_REVISION_WITH_CUSTOM_SERIALIZATION:
            write_binary_uint8(0, sink)
        encode(connection.context, name, type_, values, sink)
    connection.block_out.finalize()


def encode(context: Any, name: str, type_: str, values: Values, sink: Any) -> None:
    """Write one column of at least one row. `context`, `sink`: the driver's."""
    pack = _PACKERS.get(type_) or next((pack for start, pack in _STARTS if type_.startswith(start)), None)
    if pack is None:
        write_column(context, name, type_, list(values), sink)
    else:
        pack(values, sink)


def _packed(code: str) -> Callable[[Values, Any], None]:
    def pack(values: Values, sink: Any) -> None:
        sink.write(array(code, values).tobytes())

    return pack


def _joined(values: Values, sink: Any) -> None:
    sink.write(b"".join(values))


def _of_few_values(values: Values, sink: Any) -> None:
    write_binary_int64(_KEYS_VERSION, sink)
    first, rows = values[0], len(values)
    if values.count(first) == rows:
        keys, texts, width = bytes(rows), [first], 0
    else:
        numbers = {text: number for number, text in enumerate(dict.fromkeys(values))}
        width, code = next((width, code) for width, (limit, code) in enumerate(_WIDTHS) if len(numbers) < limit)
        keys, texts = array(code, map(numbers.__getitem__, values)).tobytes(), list(numbers)
    write_binary_int64(_OWN_DICTIONARY | width, sink)
    write_binary_int64(len(texts), sink)
    sink.write_strings(texts, encoding="utf-8")
    write_binary_int64(rows, sink)
    sink.write(keys)


_PACKERS: Final[dict[str, Callable[[Values, Any], None]]] = {
    "LowCardinality(String)": _of_few_values,
    "FixedString(16)": _joined,
}
_STARTS: Final = (("Enum8(", _packed("b")), ("DateTime64(", _packed("q")))
