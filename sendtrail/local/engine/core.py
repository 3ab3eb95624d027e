"""The chDB engine of this process: one directory, many sessions, a bound on running queries."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from sendtrail.local.engine.errors import TOO_MANY_QUERIES, engine_error
from sendtrail.local.engine.session import MARKER_SETTING, Limits, Session
from sendtrail.local.engine.statements import quote_string

_log = structlog.get_logger("engine")


class Core:
    """The engine of this process, bound to one directory; makes sessions, bounds and cancels queries."""

    def __init__(self, path: Path, max_queries: int, queue_timeout_s: float = 60.0) -> None:
        self._path = str(path)
        self._slots = threading.BoundedSemaphore(max_queries)
        self._queue_timeout_s = queue_timeout_s
        self._admin_lock = threading.Lock()
        # The engine lives as long as one connection is open.
        self._admin = self._connect()
        self.version = self._admin.query("SELECT version()", "TSV").bytes().decode().strip()
        self.timezone = self._admin.query("SELECT timezone()", "TSV").bytes().decode().strip()
        names = self._admin.query("SELECT name FROM system.settings", "TSV").bytes().decode()
        self._limits = Limits(self._connect, frozenset(names.split()), self.slot, self.cancel, _emptied(path))

    def _connect(self) -> Any:
        from chdb.state.sqlitelike import Connection

        return Connection(self._path)

    def session(self) -> Session:
        """A new session in database `default`."""
        return Session(self._limits)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for one of the places for running queries. EngineError (202) if none gets free in time."""
        if not self._slots.acquire(timeout=self._queue_timeout_s):
            text = "Too many simultaneous queries"
            raise engine_error(TOO_MANY_QUERIES, text, "TOO_MANY_SIMULTANEOUS_QUERIES")
        try:
            yield
        finally:
            self._slots.release()

    def cancel(self, marker: str) -> None:
        """Cancel the running query of the session with this marker, or of all with the empty marker."""
        condition = f"Settings['{MARKER_SETTING}'] = {quote_string(marker)}" if marker else "1"
        with self._admin_lock:
            try:
                self._admin.query(f"KILL QUERY WHERE {condition} ASYNC", "Null")
            except RuntimeError as error:
                _log.warning("a query could not be cancelled", error=str(error))

    def close(self) -> None:
        """Close the engine once every session is closed."""
        with self._admin_lock:
            self._admin.close()


def _emptied(path: Path) -> Path:
    """The folder for large results, beside the engine's own; what a killed engine left there is removed."""
    spool = path.with_name("results")
    shutil.rmtree(spool, ignore_errors=True)
    spool.mkdir(mode=0o700)
    return spool
