"""Packets of ClickHouse's native protocol, seen from the server, at one revision (54459).

Reading and writing follow clickhouse-driver's Connection and ClientInfo, mirrored.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from clickhouse_driver.bufferedreader import BufferedSocketReader
from clickhouse_driver.bufferedwriter import BufferedSocketWriter
from clickhouse_driver.compression import get_compressor_cls
from clickhouse_driver.reader import read_binary_str, read_binary_uint8
from clickhouse_driver.streams.compressed import CompressedBlockInputStream, CompressedBlockOutputStream
from clickhouse_driver.varint import read_varint, write_varint
from clickhouse_driver.writer import write_binary_int32, write_binary_str, write_binary_uint8

from sendtrail.local.engine.blocks import Shape, read_block, write_header
from sendtrail.local.engine.errors import EngineError

# The first revision with server-side parameters; nothing later is needed.
REVISION = 54459
_BUFFER_BYTES = 1 << 20
_COMPRESSED_FRAME_BYTES = 1 << 20
_IMPORTANT = 0x01
_PROFILE_EVENT_COLUMNS = (
    ("host_name", "String"),
    ("current_time", "DateTime"),
    ("thread_id", "UInt64"),
    ("type", "Enum8('increment' = 1, 'gauge' = 2)"),
    ("name", "String"),
    ("value", "Int64"),
)
_ESCAPES = {"b": "\b", "f": "\f", "r": "\r", "n": "\n", "t": "\t", "0": "\0", "a": "\a", "v": "\v"}


class ClientPacket(IntEnum):
    """Packets a client sends."""

    HELLO = 0
    QUERY = 1
    DATA = 2
    CANCEL = 3
    PING = 4


class ServerPacket(IntEnum):
    """Packets a server sends."""

    HELLO = 0
    DATA = 1
    EXCEPTION = 2
    PROGRESS = 3
    PONG = 4
    END_OF_STREAM = 5
    PROFILE_INFO = 6
    PROFILE_EVENTS = 14


@dataclass(frozen=True)
class Hello:
    """What a client says first."""

    client: str
    revision: int
    database: str
    user: str
    password: str


@dataclass(frozen=True)
class Query:
    """A query packet. `params` are the server-side parameters in ClickHouse's escaped text form."""

    query_id: str
    settings: dict[str, str]
    important: frozenset[str]
    compressed: bool
    text: str
    params: dict[str, str]


class Wire:
    """One client's socket: reads client packets, writes server packets. EOFError when the client is gone."""

    def __init__(self, connection: socket.socket) -> None:
        self._in = BufferedSocketReader(connection, _BUFFER_BYTES)
        self._out = BufferedSocketWriter(connection, _BUFFER_BYTES)
        self._compressed_in = CompressedBlockInputStream(self._in, None)
        compressor = get_compressor_cls("lz4")
        self._compressed_out = CompressedBlockOutputStream(compressor, _COMPRESSED_FRAME_BYTES, self._out, None)
        self._compress = False

    def read_packet(self) -> int:
        """The kind of the next packet; waits for it."""
        return int(read_varint(self._in))

    def read_hello(self) -> Hello:
        """The rest of a HELLO."""
        client = read_binary_str(self._in)
        read_varint(self._in)
        read_varint(self._in)
        revision = read_varint(self._in)
        return Hello(client, revision, *(read_binary_str(self._in) for _ in range(3)))

    def read_addendum(self) -> None:
        """What follows the handshake: a quota key, not used here."""
        read_binary_str(self._in)

    def read_query(self) -> Query:
        """The rest of a QUERY. The client's wish for compression holds for the data that follows."""
        query_id = read_binary_str(self._in)
        self._skip_client_info()
        settings, important = self._read_settings()
        read_binary_str(self._in)
        read_varint(self._in)
        self._compress = bool(read_varint(self._in))
        text = read_binary_str(self._in)
        params, _ = self._read_settings()
        plain = {name: undump(value) for name, value in params.items()}
        return Query(query_id, settings, important, self._compress, text, plain)

    def _skip_client_info(self) -> None:
        if read_binary_uint8(self._in) == 0:
            return
        for _ in range(3):
            read_binary_str(self._in)
        self._in.read(8 + 1)
        for _ in range(3):
            read_binary_str(self._in)
        for _ in range(3):
            read_varint(self._in)
        read_binary_str(self._in)
        read_varint(self._in)
        read_varint(self._in)
        if read_binary_uint8(self._in):
            self._in.read(16 + 8)
            read_binary_str(self._in)
            self._in.read(1)
        for _ in range(3):
            read_varint(self._in)

    def _read_settings(self) -> tuple[dict[str, str], frozenset[str]]:
        settings: dict[str, str] = {}
        important = set()
        while name := read_binary_str(self._in):
            flags = read_binary_uint8(self._in)
            settings[name] = read_binary_str(self._in)
            if flags & _IMPORTANT:
                important.add(name)
        return settings, frozenset(important)

    def read_data(self) -> tuple[str, Shape, bytes]:
        """The rest of a DATA packet: table name (of an external table), shape, engine-side bytes."""
        table = read_binary_str(self._in)
        shape, data = read_block(self._compressed_in.fin if self._compress else self._in)
        return table, shape, data

    def write_hello(self, version: tuple[int, int, int], timezone: str) -> None:
        """Answer a HELLO."""
        write_varint(ServerPacket.HELLO, self._out)
        write_binary_str("ClickHouse", self._out)
        for number in (version[0], version[1], REVISION):
            write_varint(number, self._out)
        write_binary_str(timezone, self._out)
        write_binary_str("sendtrail", self._out)
        write_varint(version[2], self._out)
        self._out.flush()

    def write_data(self, write_block: Callable[[Any], object]) -> None:
        """Send a DATA packet whose block `write_block` writes to the sink it is given."""
        write_varint(ServerPacket.DATA, self._out)
        write_binary_str("", self._out)
        if self._compress:
            write_block(self._compressed_out.fout)
            self._compressed_out.finalize()
        else:
            write_block(self._out)
        self._out.flush()

    def write_profile_events(self) -> None:
        """Send an empty PROFILE_EVENTS, which the client expects after each block it inserts."""
        write_varint(ServerPacket.PROFILE_EVENTS, self._out)
        write_binary_str("", self._out)
        write_header(_PROFILE_EVENT_COLUMNS, self._out)
        self._out.flush()

    def write_progress(self, *, read_rows: int = 0, written_rows: int = 0) -> None:
        """Send a PROGRESS."""
        write_varint(ServerPacket.PROGRESS, self._out)
        for number in (read_rows, 0, 0, written_rows, 0):
            write_varint(number, self._out)

    def write_profile_info(self, rows: int, blocks: int) -> None:
        """Send a PROFILE_INFO."""
        write_varint(ServerPacket.PROFILE_INFO, self._out)
        for number in (rows, blocks, 0):
            write_varint(number, self._out)
        write_binary_uint8(0, self._out)
        write_varint(0, self._out)
        write_binary_uint8(0, self._out)

    def write_exception(self, error: EngineError) -> None:
        """Send an EXCEPTION; it ends the query."""
        write_varint(ServerPacket.EXCEPTION, self._out)
        write_binary_int32(error.code, self._out)
        write_binary_str("DB::Exception", self._out)
        write_binary_str(error.message, self._out)
        write_binary_str("", self._out)
        write_binary_uint8(0, self._out)
        self._out.flush()

    def write_end_of_stream(self) -> None:
        """Send an END_OF_STREAM; it ends the query."""
        write_varint(ServerPacket.END_OF_STREAM, self._out)
        self._out.flush()

    def write_pong(self) -> None:
        """Answer a PING."""
        write_varint(ServerPacket.PONG, self._out)
        self._out.flush()


def undump(value: str) -> str:
    """The text inside a dumped String field: `'it\\'s'` -> `it's`; anything else is returned as it is."""
    if len(value) < 2 or not (value.startswith("'") and value.endswith("'")):
        return value
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), value[1:-1], flags=re.DOTALL)
