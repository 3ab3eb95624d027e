"""The native-protocol front: one thread per client, results and inserts block by block."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import structlog
from clickhouse_driver.errors import ChecksumDoesntMatchError, UnknownCompressionMethod

from sendtrail.local.engine.blocks import Columns, Shape, wire_blocks, write_header
from sendtrail.local.engine.errors import (
    NOT_IMPLEMENTED,
    QUERY_WAS_CANCELLED,
    UNEXPECTED_PACKET,
    EngineError,
    ProtocolError,
    engine_error,
)
from sendtrail.local.engine.results import exact_columns, insert_columns, result_columns, result_pieces
from sendtrail.local.engine.secret import Credentials
from sendtrail.local.engine.session import Session
from sendtrail.local.engine.statements import Insert, parse_insert
from sendtrail.local.engine.tables import ExternalTable
from sendtrail.local.engine.watch import Watcher
from sendtrail.local.engine.wire import REVISION, ClientPacket, Hello, Query, Wire

_log = structlog.get_logger("native")
_HANDSHAKE_TIMEOUT_S = 10.0
_DEFAULT_DATABASE = "default"


class ServerFacts:
    """What the handshake tells: version and time zone."""

    def __init__(self, version: str, timezone: str) -> None:
        numbers = [int(part) for part in version.split(".")[:3]]
        self.version = (numbers[0], numbers[1], numbers[2])
        self.timezone = timezone


class NativeConnection:
    """Serves one client from handshake to the end of its connection."""

    def __init__(
        self,
        client: socket.socket,
        session: Session,
        credentials: Credentials,
        facts: ServerFacts,
        watcher: Watcher,
    ) -> None:
        self._client = client
        self._session = session
        self._credentials = credentials
        self._facts = facts
        self._watcher = watcher
        self._wire = Wire(client)
        self._cancelled = threading.Event()
        self.busy = False

    def serve(self) -> None:
        """Until the client leaves or breaks the protocol."""
        try:
            if self._handshake():
                while self._next():
                    pass
        except (EOFError, OSError):
            # The client left; its query, if one ran, is cancelled by the watcher.
            return
        except ProtocolError as error:
            self._wire.write_exception(error)
        except (UnicodeDecodeError, ChecksumDoesntMatchError, UnknownCompressionMethod) as error:
            _log.warning("broken packet", error=str(error))

    def _handshake(self) -> bool:
        self._client.settimeout(_HANDSHAKE_TIMEOUT_S)
        if self._wire.read_packet() != ClientPacket.HELLO:
            return False
        error = self._refusal(self._wire.read_hello())
        if error is not None:
            self._wire.write_exception(error)
            return False
        self._wire.write_hello(self._facts.version, self._facts.timezone)
        self._wire.read_addendum()
        self._client.settimeout(None)
        return True

    def _refusal(self, hello: Hello) -> EngineError | None:
        refused = self._credentials.check(hello.user, hello.password)
        if refused is not None:
            return refused
        if hello.revision < REVISION:
            text = f"Client protocol revision {hello.revision} is older than {REVISION}"
            return engine_error(NOT_IMPLEMENTED, text, "NOT_IMPLEMENTED")
        try:
            self._session.use(hello.database or _DEFAULT_DATABASE)
        except EngineError as error:
            return error
        return None

    def _next(self) -> bool:
        kind = self._wire.read_packet()
        if kind == ClientPacket.QUERY:
            self._serve_query(self._wire.read_query())
        elif kind == ClientPacket.PING:
            self._wire.write_pong()
        elif kind == ClientPacket.DATA:
            # What is left of an insert that was answered with an exception.
            self._wire.read_data()
        elif kind != ClientPacket.CANCEL:
            text = f"Unknown packet {kind} from client"
            self._wire.write_exception(engine_error(UNEXPECTED_PACKET, text, "UNEXPECTED_PACKET_FROM_CLIENT"))
            return False
        return True

    def _serve_query(self, query: Query) -> None:
        self._cancelled.clear()
        self.busy = True
        try:
            external = self._external_tables()
            with self._session.slot():
                self._execute(query, external)
        except ProtocolError:
            raise
        except EngineError as error:
            if self._cancelled.is_set() and error.code == QUERY_WAS_CANCELLED:
                self._wire.write_end_of_stream()
            else:
                self._wire.write_exception(error)
        else:
            self._wire.write_end_of_stream()
        finally:
            self.busy = False

    def _external_tables(self) -> list[ExternalTable]:
        """What the client sends between a query and the empty block that ends it."""
        tables: list[ExternalTable] = []
        while True:
            self._expect_data(self._wire.read_packet())
            name, shape, data = self._wire.read_data()
            if not shape.columns:
                return tables
            tables.append(ExternalTable(name, shape.columns, data))

    def _expect_data(self, kind: int) -> None:
        if kind != ClientPacket.DATA:
            text = f"DB::Exception: Unexpected packet {kind} instead of data (UNEXPECTED_PACKET_FROM_CLIENT)"
            raise ProtocolError(UNEXPECTED_PACKET, text)

    def _execute(self, query: Query, external: list[ExternalTable]) -> None:
        self._session.apply(query.settings, query.important)
        insert = parse_insert(query.text)
        if insert is not None and not query.text[insert.data_start :].strip("; \n\t\r"):
            self._insert(insert)
            return
        created: list[ExternalTable] = []
        try:
            for table in external:
                table.create(self._session)
                created.append(table)
            self._select(query)
        finally:
            for table in created:
                table.drop(self._session)

    def _cancel(self) -> None:
        self._cancelled.set()
        self._session.cancel()

    def _select(self, query: Query) -> None:
        rows = blocks = 0
        for shape in self._send_result(query):
            rows, blocks = rows + shape.rows, blocks + 1
        if blocks == 0:
            columns = result_columns(self._session, query.text, query.params)
            if columns:
                self._write_header(columns)
        self._wire.write_profile_info(rows, blocks)
        self._wire.write_progress(read_rows=rows)

    def _send_result(self, query: Query) -> Iterator[Shape]:
        """Send the blocks of a result as they come, the first behind a header without rows."""
        columns: Columns | None = None
        with closing(result_pieces(self._session, query.text, query.params)) as pieces:
            while (piece := self._next_piece(pieces)) is not None:
                if columns is None:
                    found, _ = next(wire_blocks(piece))
                    columns = exact_columns(self._session, found.columns, query.text, query.params)
                    self._write_header(columns)
                for shape, data in wire_blocks(piece, columns):
                    self._write_block(data)
                    yield shape

    def _next_piece(self, pieces: Iterator[bytes]) -> bytes | None:
        with self._watcher.watching(self._client, self._cancel):
            piece = next(pieces, None)
        if self._cancelled.is_set():
            raise engine_error(QUERY_WAS_CANCELLED, "Query was cancelled", "QUERY_WAS_CANCELLED")
        return piece

    def _write_header(self, columns: Columns) -> None:
        self._wire.write_data(lambda sink: write_header(columns, sink))

    def _write_block(self, data: bytes) -> None:
        self._wire.write_data(lambda sink: sink.write(data))

    def _insert(self, insert: Insert) -> None:
        self._write_header(insert_columns(self._session, insert))
        with closing(self._session.insert(insert, "Native")) as inserter:
            for data in self._inserted_blocks():
                inserter.append(data)
                self._wire.write_profile_events()
            # Not cancelled when the client leaves now: what it sent as a whole is stored as a whole.
            written = inserter.finish()
        self._wire.write_profile_events()
        self._wire.write_progress(written_rows=written)

    def _inserted_blocks(self) -> Iterator[bytes]:
        while True:
            kind = self._wire.read_packet()
            if kind == ClientPacket.CANCEL:
                self._cancelled.set()
                raise engine_error(QUERY_WAS_CANCELLED, "Insert was cancelled", "QUERY_WAS_CANCELLED")
            self._expect_data(kind)
            _, shape, data = self._wire.read_data()
            if not shape.rows:
                return
            yield data
