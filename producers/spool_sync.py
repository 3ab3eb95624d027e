"""When the spool reaches the disk: never asked for, every N ms in a thread, or before every answer."""

import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal

FsyncPolicy = Literal["none", "interval", "batch"]


class Syncer:
    """Carries out one policy. `error` holds the last failure until it is read by the owner, who alarms."""

    def __init__(self, directory: Path, policy: FsyncPolicy, interval_s: float) -> None:
        self._directory = directory
        self._policy = policy
        self._interval_s = interval_s
        self._thread = ThreadPoolExecutor(1, "spool-sync") if policy == "interval" else None
        self._running: Future[None] | None = None
        self._dirty = False
        self._synced_at = 0.0
        self.error: OSError | None = None

    def wrote(self, descriptor: int, now: float, *, first: bool) -> None:
        """After each write; `first` in a segment, whose name must reach the disk too."""
        if self._policy == "batch":
            self._now(descriptor, named=first)
        elif self._thread is not None:
            self._dirty = True
            self.due(descriptor, now)

    def due(self, descriptor: int, now: float) -> None:
        """Start the sync of the interval, if it is time, something was written and none is under way."""
        if self._thread is None or not self._dirty or now - self._synced_at < self._interval_s:
            return
        if self._running is not None and not self._running.done():
            return
        self._dirty, self._synced_at = False, now
        self._running = self._thread.submit(self._now, descriptor, named=True)

    def finished(self, descriptor: int) -> None:
        """After a segment's last write and its new name: sync for the last time and close."""
        if self._thread is not None:
            self._dirty = False
            self._thread.submit(self._last, descriptor)
        elif self._policy == "batch":
            self._last(descriptor)
        else:
            os.close(descriptor)

    def close(self) -> None:
        """Wait for what is under way."""
        if self._thread is not None:
            self._thread.shutdown()

    def _last(self, descriptor: int) -> None:
        self._now(descriptor, named=True)
        os.close(descriptor)

    def _now(self, descriptor: int, *, named: bool) -> None:
        try:
            os.fdatasync(descriptor)
            if named:
                _sync_directory(self._directory)
        except OSError as error:
            self.error = error


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
