"""A real edge on a loop in a thread, and a client that speaks to it byte by byte."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import uvloop

from producers.edge.known import known_of
from producers.edge.server import EdgeServer
from producers.spool import SpoolWriter
from sendtrail.events import Event
from sendtrail.keyring import Keyring, new_keyring
from sendtrail.links import Link, LinkKind, mint, url_of
from sendtrail.process import listen
from sendtrail.settings import Config, EdgeSettings
from tests.support.spools import events

T = TypeVar("T")


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """A plain socket: sends what it is told to, reads answers one by one."""

    def __init__(self, port: int, timeout_s: float = 20) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout_s)
        self._read = b""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, *, head: bool = False) -> Answer:
        """The next answer. Raises EOFError where the server has closed the connection instead."""
        while b"\r\n\r\n" not in self._read:
            self._more()
        raw, _, self._read = self._read.partition(b"\r\n\r\n")
        status_line, *lines = raw.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        status = int(status_line.split(" ")[1])
        size = 0 if head or status in (100, 204, 304) else int(headers["content-length"])
        while len(self._read) < size:
            self._more()
        body, self._read = self._read[:size], self._read[size:]
        return Answer(status, headers, body)

    def closed(self) -> bool:
        """True once the server has closed the connection; waits for it."""
        try:
            while self._read or self.socket.recv(65536):
                self._read = b""
        except ConnectionError:
            return True
        return True

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError("the server closed the connection")
        self._read += data


class Edge:
    """A running edge: its keys, its port, what it wrote."""

    def __init__(self, directory: Path, loop: asyncio.AbstractEventLoop, server: EdgeServer, keys: Keyring) -> None:
        self.directory = directory
        self.server = server
        self.keys = keys
        self._loop = loop
        listener = listen("edge", "127.0.0.1", 0)
        self.port: int = listener.getsockname()[1]
        self.run(lambda: server.start(listener))

    def run(self, action: Callable[[], Any]) -> Any:
        """Run a coroutine function in the edge's loop."""
        return asyncio.run_coroutine_threadsafe(action(), self._loop).result(20)

    def client(self) -> Client:
        return Client(self.port)

    def path(self, kind: LinkKind = "open", destination: str = "", message: int = 7, **fields: Any) -> str:
        """The path of a freshly minted link."""
        link = Link(kind, 17, message, **{"recipient": 99, "destination": destination, **fields})
        return url_of("", kind, mint(self.keys.active, link))

    def get(self, path: str, headers: str = "", method: str = "GET") -> Answer:
        """One request on a connection of its own."""
        with self.client() as client:
            client.send(f"{method} {path} HTTP/1.1\r\nHost: t\r\n{headers}\r\n".encode())
            return client.answer(head=method == "HEAD")

    def events(self) -> list[Event]:
        """What is in the spool."""
        return events(self.directory)


@contextmanager
def running_edge(directory: Path, settings: EdgeSettings, tables: Any = None, **options: Any) -> Iterator[Edge]:
    """An edge on a free port; stopped at the end. `tables`: settings of other sections."""
    keys = new_keyring()
    spool = SpoolWriter(directory, settings.name, fsync="none")
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = EdgeServer(
        known_of(keys, Config({"edge": settings.model_dump(), **(tables or {})})), spool, settings, **options
    )
    edge = Edge(directory, loop, server, keys)
    try:
        yield edge
    finally:
        edge.run(lambda: server.stop(5))
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
