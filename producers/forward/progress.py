"""How far a segment got: a file beside it, so that a restart sends little again, and that with the same cuts.

`<spool id>-<sequence>.ack`, one JSON object per line, appended: `{"cut": 500}` before a batch that ends at index 500 is
sent, `{"acked": 500}` when everything below 500 is acknowledged, with the minutes of events that can't be decoded.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec


class _Line(msgspec.Struct, omit_defaults=True):
    cut: int | None = None
    acked: int | None = None
    undated: dict[int, int] = {}


class Progress(NamedTuple):
    """Events below `acked` are in Kafka; `cuts` are the ends of batches that may be; `undated` events per minute."""

    acked: int
    cuts: list[int]
    undated: dict[int, int]


def progress_path(segment: Path) -> Path:
    """Where the progress of a segment stands."""
    return segment.with_suffix(".ack")


def read_progress(path: Path) -> Progress:
    """What a file says; nothing is done where it is missing, and lines that can't be read say nothing."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        lines = []
    acked, cuts, undated = 0, set[int](), dict[int, int]()
    for raw in lines:
        try:
            line = msgspec.json.decode(raw, type=_Line)
        except (msgspec.DecodeError, UnicodeError):
            continue
        if line.cut is not None:
            cuts.add(line.cut)
        if line.acked is not None and line.acked > acked:
            acked, undated = line.acked, line.undated
    return Progress(acked, sorted(cut for cut in cuts if cut > acked), undated)


class ProgressFile:
    """Appends to a segment's progress. A write that fails costs only a longer repetition, so it is let go."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def cut(self, end: int) -> None:
        """A batch that ends at `end` is about to be sent."""
        self._append(_Line(cut=end))

    def acked(self, end: int, undated: dict[int, int]) -> None:
        """Everything below `end` is acknowledged."""
        self._append(_Line(acked=end, undated=undated))

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def remove(self) -> None:
        """The segment is gone."""
        self.close()
        self._path.unlink(missing_ok=True)

    def _append(self, line: _Line) -> None:
        with suppress(OSError):
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.write(self._descriptor, b"\n" + msgspec.json.encode(line))
