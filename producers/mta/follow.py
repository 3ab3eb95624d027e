"""A log file that grows and is rotated -> its lines, and a position from which to go on after a restart."""

import os
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO

import msgspec

from sendtrail import private_file
from sendtrail.errors import SendtrailError

_READ_BYTES = 1024 * 1024
_LONGEST = 64 * 1024  # of a line; a longer one is passed over


class Position(msgspec.Struct):
    """Behind the last line that was dealt with: file by inode, offset in bytes, and the queue as known by then."""

    inode: int = 0
    offset: int = 0
    queue: dict[str, dict[str, str]] = {}

    @classmethod
    def load(cls, path: Path) -> "Position":
        """From a file; the beginning of the log without one. Raises SendtrailError for one that can't be read."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=cls)
        except FileNotFoundError:
            return cls()
        except (OSError, msgspec.DecodeError) as error:
            raise SendtrailError(f"position file {path} can't be read: {error}") from error

    def save(self, path: Path) -> None:
        """All or nothing. Raises SendtrailError."""
        try:
            private_file.write(path, msgspec.json.encode(self))
        except OSError as error:
            raise SendtrailError(f"position file {path} can't be written: {error}") from error


class Follower:
    """Reads a log from a position on, through its rotations: by rename, or by copying and truncating."""

    def __init__(self, path: Path, position: Position) -> None:
        """Raises SendtrailError where the file can't be read."""
        self._path = path
        self._file: BinaryIO | None = None
        self.inode, self.offset = position.inode, position.offset
        self.lost = False  # a file went away before it was read to its end
        self._at_end = False
        self._open(_rotated(path, position.inode) or path)

    def read(self) -> list[str]:
        """The next whole lines; none at the present end. `inode` and `offset` are behind them then."""
        lines = self._lines()
        if lines or not self._is_rotated():
            return lines
        self._open(self._path)
        return self._lines()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _open(self, path: Path) -> None:
        try:
            file = path.open("rb")
        except OSError as error:
            raise SendtrailError(f"log {path} can't be read: {error}") from error
        self.close()
        self._file = file
        status = os.fstat(file.fileno())
        if status.st_ino != self.inode:
            self.lost = self.lost or (self.inode != 0 and not self._at_end)
            self.inode, self.offset = status.st_ino, 0

    def _lines(self) -> list[str]:
        if self._file is None:
            return []
        if os.fstat(self._file.fileno()).st_size < self.offset:  # copied and truncated
            self.offset = 0
        data = os.pread(self._file.fileno(), _READ_BYTES, self.offset)
        whole, newline, rest = data.rpartition(b"\n")
        if newline:
            self.offset += len(data) - len(rest)
            self._at_end = False
            return [line.decode("utf-8", "replace") for line in whole.split(b"\n") if len(line) <= _LONGEST]
        if len(data) == _READ_BYTES:
            self.offset += len(data)
            return self._lines()
        self._at_end = True
        return []

    def _is_rotated(self) -> bool:
        try:
            return os.stat(self._path).st_ino != self.inode
        except OSError:
            return False  # between a rename and the new file


def _rotated(path: Path, inode: int) -> Path | None:
    """The file with this inode, under the log's name or one a rotation gave it."""
    try:
        names = sorted(name for name in os.listdir(path.parent) if name.startswith(path.name))
        found = [path.parent / name for name in names]
        return next((one for one in found if one.stat().st_ino == inode), None)
    except OSError:
        return None


def queue_of(position: Position) -> OrderedDict[str, dict[str, str]]:
    """In the order they were learnt."""
    return OrderedDict(position.queue)
