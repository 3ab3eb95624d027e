"""Processes and their listening sockets, as Linux shows them under /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_LISTENING = "0A"
_LOOPBACK = {
    "0100007F",  # 127.0.0.1
    "0000000000000000FFFF00000100007F",  # ::ffff:127.0.0.1
    "00000000000000000000000001000000",  # ::1
}


class Process(NamedTuple):
    """A process; `started` tells it from a later one with the same id."""

    pid: int
    started: int
    command: str

    @property
    def alive(self) -> bool:
        """True while this very process lives."""
        return _read(self.pid) == self


class Listener(NamedTuple):
    """A listening TCP socket."""

    loopback: bool
    port: int


def children(pid: int) -> list[Process]:
    """The living children of a process."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        found = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except FileNotFoundError:
        return []
    return [process for child in found if (process := _read(child)) is not None]


def descendants(pid: int) -> list[Process]:
    """A process and all below it."""
    own = _read(pid)
    return [*([own] if own else []), *(below for child in children(pid) for below in descendants(child.pid))]


def listeners(processes: Iterable[Process]) -> set[Listener]:
    """The TCP sockets on which these processes listen."""
    inodes = {inode for process in processes for inode in _sockets(process.pid)}
    return {listener for inode, listener in _all_listeners() if inode in inodes}


def _read(pid: int) -> Process | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if stat[0] == "Z" else Process(pid, int(stat[19]), command.strip())


def _sockets(pid: int) -> Iterator[str]:
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(entry)
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            yield target[len("socket:[") : -1]


def _all_listeners() -> Iterator[tuple[str, Listener]]:
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            address, _, port = fields[1].partition(":")
            if fields[3] == _LISTENING:
                yield fields[9], Listener(address in _LOOPBACK, int(port, 16))
