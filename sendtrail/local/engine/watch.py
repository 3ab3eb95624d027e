"""Sees a client cancel or vanish while its query runs in the engine."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_CANCEL_BYTE = 3


class _Watch:
    """One registration. The lock keeps a late cancel from reaching the client's next query."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._cancel = cancel
        self._lock = threading.Lock()
        self._active = True

    def end(self) -> None:
        with self._lock:
            self._active = False

    def fire(self) -> None:
        with self._lock:
            if self._active:
                self._cancel()


class Watcher:
    """One thread that watches the sockets of clients whose thread is busy in the engine."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._wake_out, self._wake_in = socket.socketpair()
        self._selector.register(self._wake_out, selectors.EVENT_READ, None)
        threading.Thread(target=self._run, name="watcher", daemon=True).start()

    @contextmanager
    def watching(self, client: socket.socket, cancel: Callable[[], None]) -> Iterator[None]:
        """Call `cancel` (in the watcher's thread) once if the client closes or sends a Cancel meanwhile."""
        watch = _Watch(cancel)
        with self._lock:
            self._selector.register(client, selectors.EVENT_READ, watch)
        self._wake_in.send(b"w")
        try:
            yield
        finally:
            self._forget(client, watch)
            watch.end()

    def _forget(self, client: socket.socket, watch: _Watch) -> None:
        with self._lock:
            key = self._selector.get_map().get(client)
            if key is not None and key.data is watch:
                self._selector.unregister(client)

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    self._wake_out.recv(4096)
                    continue
                client: socket.socket = key.fileobj  # type: ignore[assignment]
                self._forget(client, key.data)
                if _gone_or_cancelled(client):
                    key.data.fire()


def _gone_or_cancelled(client: socket.socket) -> bool:
    try:
        ahead = client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return ahead in (b"", bytes((_CANCEL_BYTE,)))
