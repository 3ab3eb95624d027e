"""How many events a spool directory could not take: a file made beforehand, so that a full disk can be counted on."""

import fcntl
import os
from pathlib import Path

from sendtrail.spool_files import LOST, parse_lost

_SIZE = 4096


class LossFile:
    """Adds to the count of a directory. Its blocks are allocated at the start, so adding needs no room."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / LOST
        self._descriptor: int | None = None
        self.pending = 0
        self.add(0, 0)

    def add(self, events: int, now_ms: int) -> None:
        """Count lost events. What can't be written now is kept and added with the next call; never raises."""
        self.pending += events
        try:
            self._write(now_ms)
        except OSError:
            return
        self.pending = 0

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, now_ms: int) -> None:
        if self._descriptor is None:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            data = os.pread(self._descriptor, _SIZE, 0)
            if self.pending or len(data) < _SIZE:
                line = b"lost %020d last_ms %020d\n" % (parse_lost(data).events + self.pending, now_ms)
                os.pwrite(self._descriptor, line.ljust(_SIZE), 0)
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
