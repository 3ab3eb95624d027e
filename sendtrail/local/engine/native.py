"""The native-protocol front: one thread per client, results and inserts block by block."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import structlog
from clickhouse_driver.errors import ChecksumDoesntMatchError, UnknownCompressionMethod

from sendtrail.local.engine.blocks import Shape, wire_blocks, write_header
from sendtrail.local.engine.errors import (
    NOT_IMPLEMENTED,
    QUERY_WAS_CANCELLED,
    UNEXPECTED_PACKET,
    EngineError,
    engine_error,
)
from sendtrail.local.engine.results import Columns, insert_columns, result_columns, result_pieces
from sendtrail.local.engine.secret import Credentials
from sendtrail.local.engine.session import Inserter, Session
from sendtrail.local.engine.statements import Insert, parse_insert
from sendtrail.local.engine.watch import Watcher
from sendtrail.local.engine.wire import REVISION, ClientPacket, Query, Wire

_log = structlog.get_logger("native")


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
        except (UnicodeDecodeError, ChecksumDoesntMatchError, UnknownCompressionMethod) as error:
            _log.warning("broken packet", error=str(error))

    def _handshake(self) -> bool:
        if self._wire.read_packet() != ClientPacket.HELLO:
            return False
        hello = self._wire.read_hello()
        error = self._credentials.check(hello.user, hello.password)
        if error is None and hello.revision < REVISION:
            text = f"Client protocol revision {hello.revision} is older than {REVISION}"
            error = engine_error(NOT_IMPLEMENTED, text, "NOT_IMPLEMENTED")
        if error is None and hello.database:
            try:
                self._session.use(hello.database)
            except EngineError as refused:
                error = refused
        if error is not None:
            self._wire.write_exception(error)
            return False
        self._wire.write_hello(self._facts.version, self._facts.timezone)
        self._wire.read_addendum()
        return True

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
            self._skip_external_tables()
            with self._session.slot():
                self._execute(query)
        except EngineError as error:
            if self._cancelled.is_set() and error.code == QUERY_WAS_CANCELLED:
                self._wire.write_end_of_stream()
            else:
                self._wire.write_exception(error)
        else:
            self._wire.write_end_of_stream()
        finally:
            self.busy = False

    def _skip_external_tables(self) -> None:
        refused = None
        while True:
            if self._wire.read_packet() != ClientPacket.DATA:
                raise engine_error(UNEXPECTED_PACKET, "Expected Data", "UNEXPECTED_PACKET_FROM_CLIENT")
            table, shape, _ = self._wire.read_data()
            if not shape.columns:
                break
            text = f"External table {table} is not carried by the embedded engine"
            refused = engine_error(NOT_IMPLEMENTED, text, "NOT_IMPLEMENTED")
        if refused is not None:
            raise refused

    def _execute(self, query: Query) -> None:
        self._session.apply(query.settings, query.important)
        insert = parse_insert(query.text)
        if insert is not None and not query.text[insert.data_start :].strip("; \n\t\r"):
            self._insert(insert)
        else:
            self._select(query)

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
        pieces = result_pieces(self._session, query.text, query.params)
        first = True
        while True:
            with self._watcher.watching(self._client, self._cancel):
                piece = next(pieces, None)
            if piece is None or self._cancelled.is_set():
                pieces.close()
                return
            for shape, data in wire_blocks(piece):
                if first:
                    self._write_header(shape.columns)
                    first = False
                self._write_block(data)
                yield shape

    def _write_header(self, columns: Columns) -> None:
        self._wire.write_data(lambda sink: write_header(columns, sink))

    def _write_block(self, data: bytes) -> None:
        self._wire.write_data(lambda sink: sink.write(data))

    def _insert(self, insert: Insert) -> None:
        columns = insert_columns(self._session, insert)
        self._write_header(columns)
        inserter: Inserter | None = None
        try:
            for data in self._inserted_blocks():
                if inserter is None:
                    inserter = self._session.insert(insert, "Native")
                inserter.append(data)
                self._wire.write_profile_events()
            written = 0
            if inserter is not None:
                with self._watcher.watching(self._client, self._cancel):
                    written = inserter.finish()
            inserter = None
        finally:
            if inserter is not None:
                inserter.cancel()
        self._wire.write_profile_events()
        self._wire.write_progress(written_rows=written)

    def _inserted_blocks(self) -> Iterator[bytes]:
        while True:
            kind = self._wire.read_packet()
            if kind == ClientPacket.CANCEL:
                self._cancelled.set()
                raise engine_error(QUERY_WAS_CANCELLED, "Insert was cancelled", "QUERY_WAS_CANCELLED")
            if kind != ClientPacket.DATA:
                text = f"Unexpected packet {kind} instead of data"
                raise engine_error(UNEXPECTED_PACKET, text, "UNEXPECTED_PACKET_FROM_CLIENT")
            _, shape, data = self._wire.read_data()
            if not shape.columns or not shape.rows:
                return
            yield data
