"""The spools of the line, each on a small disk of its own that can be filled."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from sendtrail.spool_files import read_lost, segment_files
from tests.support.disks import Disk, Pids, small_disk

#: Room for minutes of hits while nothing is forwarded.
SIZE = 32 * 1024 * 1024
#: Directories below a spool whose records have keys.
_KEYED = ("registry", "contents", "consents")


class Spools:
    """Spool directories by name. `mount` before anything writes, `close` when nothing does any more."""

    def __init__(self, directory: Path, names: Sequence[str]) -> None:
        self._directory = directory
        self._names = names
        self._disks: dict[str, Disk] = {}
        self._closing = ExitStack()

    def mount(self) -> None:
        """Make the disks."""
        self._directory.mkdir(parents=True, exist_ok=True)
        for name in self._names:
            self._disks[name] = self._closing.enter_context(small_disk(self.path(name), SIZE))

    def close(self, *, keep: bool) -> None:
        """Let the disks go; with `keep`, what is on them stays as `<name>.kept`."""
        if keep:
            for name in self._disks:
                kept = self._directory / f"{name}.kept"
                shutil.copytree(self.path(name), kept, ignore=shutil.ignore_patterns("filler"), dirs_exist_ok=True)
        self._closing.close()

    def path(self, name: str) -> Path:
        """Where a spool is."""
        return self._directory / name

    def fill(self, name: str, pids: Pids) -> None:
        """Take away the room of what writes there; `pids`: which processes that are."""
        self._disks[name].fill(pids)

    def free(self, name: str, pids: Pids) -> None:
        """Give it back."""
        self._disks[name].free(pids)

    def lost(self, name: str) -> int:
        """Events this spool has counted as lost."""
        return read_lost(self.path(name)).events

    def waiting(self) -> int:
        """Segments that are on the disks."""
        places = [self.path(name) / below for name in self._names for below in ("", *_KEYED)]
        return sum(len(segment_files(place)) for place in places)
