"""Looks at the running line once a second: rows stored, and blocks the engine dropped because it knew their token."""

from __future__ import annotations

import threading

from clickhouse_driver.errors import Error

from tests.chaos.stack import Stack

_EVERY_S = 1.0
_KNOWN = "SELECT sum(value) FROM system.events WHERE event = 'DuplicatedInsertedBlocks'"
_STORED = "SELECT sum(sign) FROM events"


class Watch:
    """The engine's own count begins anew with every life of it: asked every second and before each kill."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._by_life: dict[int, int] = {}
        self._thread = threading.Thread(target=self._run, name="watch")
        self.stored = 0

    @property
    def known_tokens(self) -> int:
        """Blocks dropped, over all lives of the engine."""
        return sum(self._by_life.values())

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Look once more, and end."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()
        self.look()

    def look(self) -> None:
        """Ask now; an engine that is away is no matter."""
        pid = self._stack.pid("engine")
        if pid is None:
            return
        try:
            with self._lock, self._stack.client(timeout_s=3) as client:
                [(known,)], [(self.stored,)] = client.execute(_KNOWN), client.execute(_STORED)
        except (Error, OSError, EOFError):
            return
        self._by_life[pid] = max(self._by_life.get(pid, 0), int(known))

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_S):
            self.look()
