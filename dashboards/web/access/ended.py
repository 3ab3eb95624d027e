"""Sessions that were ended by a log-out, kept until they would have expired, over restarts too."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TextIO


class Ended:
    """Ids of ended sessions, in memory and in a file of lines `expiry id`. `clock` gives UTC seconds."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        """Raises OSError if the file can't be read or written."""
        self._path = path
        self._clock = clock
        self._expiry = {sid: until for until, sid in _lines(path) if until > clock()}
        self._write()

    def has(self, sid: str) -> bool:
        """True for a session that was ended."""
        return sid in self._expiry

    def add(self, sid: str, until_s: int) -> None:
        """End a session that would expire at `until_s`. Raises OSError if that can't be kept."""
        now = self._clock()
        self._expiry = {one: until for one, until in self._expiry.items() if until > now}
        self._expiry[sid] = until_s
        with self._open(self._path, os.O_APPEND) as file:
            file.write(f"{until_s} {sid}\n")

    def _write(self) -> None:
        draft = self._path.with_name(self._path.name + ".new")
        with self._open(draft, os.O_TRUNC) as file:
            file.writelines(f"{until} {sid}\n" for sid, until in self._expiry.items())
        os.replace(draft, self._path)

    @staticmethod
    def _open(path: Path, flag: int) -> TextIO:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | flag, 0o600), "w")


def _lines(path: Path) -> list[tuple[int, str]]:
    """What the file holds; a line cut off by a crash is not one."""
    if not path.exists():
        return []
    parts = [line.split() for line in path.read_text().splitlines()]
    return [(int(part[0]), part[1]) for part in parts if len(part) == 2 and part[0].isdecimal()]
