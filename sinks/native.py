"""Columns -> one block of ClickHouse's native protocol, in half the time that clickhouse-driver takes.

The driver turns every value of some types over one by one; here they are packed as they are: enums and times are
numbers already, and a text that is the same in every row is written once. All else is the driver's own, and every byte
is the one that the driver would send (tested).
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
_OWN_KEYS_OF_ONE_BYTE: Final = 0x600  # the block brings its keys, which replace earlier ones
_OF_FEW_VALUES: Final = "LowCardinality(String)"


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
    if type_ == _OF_FEW_VALUES and values.count(values[0]) == len(values):
        _one_text(values[0], len(values), sink)
    elif pack := next((pack for start, pack in _PACKERS if type_.startswith(start)), None):
        pack(values, sink)
    else:
        write_column(context, name, type_, list(values), sink)


def _packed(code: str) -> Callable[[Values, Any], None]:
    def pack(values: Values, sink: Any) -> None:
        sink.write(array(code, values).tobytes())

    return pack


def _joined(values: Values, sink: Any) -> None:
    sink.write(b"".join(values))


def _one_text(text: str, rows: int, sink: Any) -> None:
    """A column of LowCardinality(String) whose rows are all alike: one key, and zeros that point to it."""
    write_binary_int64(_KEYS_VERSION, sink)
    write_binary_int64(_OWN_KEYS_OF_ONE_BYTE, sink)
    write_binary_int64(1, sink)
    sink.write_strings([text], encoding="utf-8")
    write_binary_int64(rows, sink)
    sink.write(bytes(rows))


_PACKERS: Final = (("Enum8(", _packed("b")), ("DateTime64(", _packed("q")), ("FixedString(", _joined))
