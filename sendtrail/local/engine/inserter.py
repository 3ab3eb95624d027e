"""Inserts: data gathered in memory, then read by the engine as one file.

chDB's own streaming insert (`send_insert`, 26.9) answers success when the table refuses the data: a violated
constraint, too many parts or partitions, or a failing view lose rows without an error. INSERT ... FROM INFILE
goes the engine's ordinary way and reports them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import IO

from sendtrail.local.engine.statements import Insert, quote_string


class Inserter:
    """Data of one insert; nothing is stored before `finish`. `close` it in any case.

    `run` runs a statement and returns the rows written; `input_format` is the format of the data.
    """

    def __init__(self, insert: Insert, input_format: str, run: Callable[[str], int]) -> None:
        self._insert = insert
        self._format = input_format
        self._run = run
        self._file = _memory_file()
        self._empty = True

    def append(self, data: bytes) -> None:
        """Add data."""
        self._file.write(data)
        self._empty = False

    def finish(self) -> int:
        """Store everything; returns the rows written, views included. EngineError if the engine refuses it."""
        if self._empty:
            return 0
        self._file.flush()
        path = quote_string(_path_of(self._file))
        head, settings = self._insert.head, self._insert.settings
        return self._run(f"{head} FROM INFILE {path} COMPRESSION 'none' {settings} FORMAT {self._format}")

    def close(self) -> None:
        """Let the data go."""
        self._file.close()


def _memory_file() -> IO[bytes]:
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("insert"), "wb")
    return tempfile.NamedTemporaryFile()


def _path_of(file: IO[bytes]) -> str:
    return file.name if isinstance(file.name, str) else f"/proc/self/fd/{file.fileno()}"
