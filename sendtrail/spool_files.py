"""Names and places in a spool directory: one definition for the writer, the forwarder and the audit.

`<spool id>-<sequence>.open` is being written, `.seg` is finished; `<spool id>.lock` is flocked while its writer lives;
`lost` counts what could not be written, `.damaged` is a segment kept aside for an operator. A `.new` file holds nothing
that was acknowledged: a segment before its first events, or a probe for room.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

from sendtrail.segments import SegmentHeader, decode_header, frames

SegmentState = Literal["open", "seg"]

_NAME = re.compile(r"([0-9a-f]{32})-(\d{12})\.(open|seg)")
_DAMAGED = re.compile(r"([0-9a-f]{32})-(\d{12})\.(damaged)")
_LOCK = re.compile(r"([0-9a-f]{32})\.lock")
LOST = "lost"
_LOST = re.compile(rb"lost (\d{20}) last_ms (\d{20})\n")


class SegmentFile(NamedTuple):
    """A segment as a file: spool id (32 hex digits), sequence, whether its writer finished it, and size in bytes."""

    path: Path
    spool: str
    sequence: int
    finished: bool
    size: int


def segment_path(directory: Path, spool: str, sequence: int, state: SegmentState) -> Path:
    """Where a segment stands."""
    return directory / f"{spool}-{sequence:012d}.{state}"


def new_path(directory: Path, spool: str) -> Path:
    """Where a segment stands until its first events are in it."""
    return directory / f"{spool}.new"


def lock_path(directory: Path, spool: str) -> Path:
    """The file that a live writer of `spool` holds a lock on."""
    return directory / f"{spool}.lock"


def segment_files(directory: Path) -> list[SegmentFile]:
    """The segments in a directory, by spool and sequence; those that vanish meanwhile are left out."""
    return _files(directory, _NAME)


def damaged_files(directory: Path) -> list[SegmentFile]:
    """The segments that were kept aside because bytes in them could not be read."""
    return _files(directory, _DAMAGED)


def damaged_path(segment: Path) -> Path:
    """Where a segment with bytes that could not be read is kept."""
    return segment.with_suffix(".damaged")


def _files(directory: Path, name: re.Pattern[str]) -> list[SegmentFile]:
    found = []
    try:
        entries = list(os.scandir(directory))
    except FileNotFoundError:
        return []
    for entry in entries:
        match = name.fullmatch(entry.name)
        if match is None:
            continue
        try:
            size = entry.stat().st_size
        except FileNotFoundError:
            continue
        found.append(SegmentFile(Path(entry.path), match[1], int(match[2]), match[3] != "open", size))
    return sorted(found, key=lambda file: (file.spool, file.sequence))


def lock_owners(directory: Path) -> list[str]:
    """The spool ids that have a lock file, alive or dead."""
    try:
        return sorted(match[1] for entry in os.scandir(directory) if (match := _LOCK.fullmatch(entry.name)))
    except FileNotFoundError:
        return []


class Lost(NamedTuple):
    """Events a directory could not take since it exists, and when the last was lost (UTC milliseconds)."""

    events: int
    last_ms: int


def parse_lost(data: bytes) -> Lost:
    """The content of the file `lost`; nothing where there is none."""
    match = _LOST.match(data)
    return Lost(int(match[1]), int(match[2])) if match else Lost(0, 0)


def read_lost(directory: Path) -> Lost:
    """What a spool directory could not take; nothing where nothing was ever counted."""
    try:
        return parse_lost((directory / LOST).read_bytes())
    except FileNotFoundError:
        return Lost(0, 0)


def backlog_bytes(directory: Path) -> int:
    """Bytes of all segments that wait in a directory, whoever wrote them."""
    return sum(file.size for file in segment_files(directory))


def oldest_seconds(directory: Path, now_s: float) -> float:
    """Seconds since the longest waiting segment of a directory was last written, 0 where none waits."""
    written = []
    for file in segment_files(directory):
        with suppress(FileNotFoundError):
            written.append(file.path.stat().st_mtime)
    return max(0.0, now_s - min(written, default=now_s))


class SegmentContent(NamedTuple):
    """A segment as read: its file, header, and the payloads that are whole in it."""

    path: Path
    header: SegmentHeader
    payloads: list[bytes]


def read_segments(directory: Path) -> Iterator[SegmentContent]:
    """The segments of a directory with their payloads, without those forwarded meanwhile or without a sound header."""
    for file in segment_files(directory):
        content = _read(file.path)
        if content is None and not file.finished:  # finished a moment ago: it has its other name
            content = _read(segment_path(directory, file.spool, file.sequence, "seg"))
        if content is not None:
            yield content


def _read(path: Path) -> SegmentContent | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    found = decode_header(data)
    if found is None:
        return None
    header, start = found
    return SegmentContent(path, header, [frame.payload for frame in frames(data, start)])
