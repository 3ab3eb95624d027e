"""Accepts native-protocol clients on the loopback interface and ends them in order."""

from __future__ import annotations

import socket
import threading
import time

from sendtrail.local.engine.core import Core
from sendtrail.local.engine.errors import TOO_MANY_QUERIES, engine_error
from sendtrail.local.engine.native import NativeConnection, ServerFacts
from sendtrail.local.engine.secret import Credentials
from sendtrail.local.engine.watch import Watcher
from sendtrail.local.engine.wire import Wire

_BACKLOG = 128


class NativeServer:
    """Listens on 127.0.0.1; at most `max_connections` clients at a time."""

    def __init__(self, core: Core, credentials: Credentials, port: int, max_connections: int) -> None:
        self._core = core
        self._credentials = credentials
        self._facts = ServerFacts(core.version, core.timezone)
        self._watcher = Watcher()
        self._max_connections = max_connections
        self._listener = socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
        self._lock = threading.Lock()
        self._clients: dict[socket.socket, NativeConnection] = {}
        self._closing = False

    def start(self) -> None:
        """Accept clients in a thread of its own."""
        threading.Thread(target=self._accept, name="native-accept", daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            threading.Thread(target=self._serve, args=(client,), name="native", daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            session = self._core.session()
            connection = NativeConnection(client, session, self._credentials, self._facts, self._watcher)
            try:
                if self._enter(client, connection):
                    connection.serve()
            finally:
                session.close()
                with self._lock:
                    self._clients.pop(client, None)

    def _enter(self, client: socket.socket, connection: NativeConnection) -> bool:
        with self._lock:
            if self._closing:
                return False
            if len(self._clients) >= self._max_connections:
                text = f"Too many connections (maximum: {self._max_connections})"
                Wire(client).write_exception(engine_error(TOO_MANY_QUERIES, text, "TOO_MANY_SIMULTANEOUS_QUERIES"))
                return False
            self._clients[client] = connection
            return True

    def stop_accepting(self) -> None:
        """Take no new client and part with those that are idle."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._part()

    def close(self, timeout_s: float) -> None:
        """Let running queries finish for `timeout_s`, then cancel them and part with everyone."""
        self.stop_accepting()
        if not self._wait_for_clients(timeout_s):
            self._core.cancel("")
            self._part(everyone=True)
            self._wait_for_clients(timeout_s)

    def _wait_for_clients(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while self._part():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _part(self, *, everyone: bool = False) -> int:
        """Close idle clients (or all); returns how many are left."""
        with self._lock:
            for client, connection in self._clients.items():
                if everyone or not connection.busy:
                    try:
                        client.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        # The client closed first.
                        continue
            return len(self._clients)
