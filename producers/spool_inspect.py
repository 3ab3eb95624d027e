"""Spool directories -> what their segments hold, damage included. Reads only."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from producers.spool_lock import is_orphan
from sendtrail.segments import SegmentHeader, decode_header, frames, is_torn, sound_after
from sendtrail.spool_files import SegmentFile, damaged_files, segment_files


class Content(NamedTuple):
    """A segment as read. `payloads` stand before any damage, `behind` are the sound ones after it.

    `unreadable`: bytes that are neither. `torn`: all of them are at the end and begin as a frame does.
    """

    header: SegmentHeader | None
    payloads: list[bytes]
    behind: list[bytes]
    unreadable: int
    torn: bool


def read_content(data: bytes) -> Content:
    """Everything in a segment that is whole."""
    found = decode_header(data)
    header, position = found if found is not None else (None, 0)
    sound = list(frames(data, position)) if header is not None else []
    position = sound[-1].end if sound else position
    first_damage, behind, unreadable = position, [], 0
    while position < len(data):
        start = sound_after(data, position + 1) if position + 1 < len(data) else None
        unreadable += (len(data) if start is None else start) - position
        if start is None:
            break
        more = list(frames(data, start))
        behind += [frame.payload for frame in more]
        position = more[-1].end
    torn = header is not None and not behind and unreadable > 0 and is_torn(data[first_damage:])
    return Content(header, [frame.payload for frame in sound], behind, unreadable, torn)


class Inspected(NamedTuple):
    """One line of `sendtrail spool list`. `age_s`: since it was last written; `damage`: empty where all is sound."""

    directory: str
    spool: str
    edge: str
    sequence: int
    stream: str
    state: str
    events: int
    bytes: int
    age_s: float
    damage: str


def places(directory: Path) -> list[Path]:
    """A directory, and those below it that hold segments: an API keeps its other streams there."""
    return [directory, *sorted(path for path in directory.rglob("*") if path.is_dir() and files_of(path))]


def files_of(path: Path) -> list[SegmentFile]:
    """The segments of a directory, those that were kept aside too, by spool and sequence."""
    return sorted((*segment_files(path), *damaged_files(path)), key=lambda file: (file.spool, file.sequence))


def inspect(directory: Path) -> Iterator[Inspected]:
    """What is in a spool directory; segments that are forwarded meanwhile are left out. Raises OSError."""
    for place in places(directory):
        for file in files_of(place):
            try:
                data, written = file.path.read_bytes(), file.path.stat().st_mtime
            except FileNotFoundError:
                continue
            content = read_content(data)
            header = content.header
            yield Inspected(
                str(place),
                file.spool,
                header.edge if header else "?",
                file.sequence,
                header.stream.name.lower() if header else "?",
                _state(file, place),
                len(content.payloads) + len(content.behind),
                len(data),
                max(0.0, time.time() - written),
                damage_of(content, alive=_state(file, place) == "being written"),
            )


def _state(file: SegmentFile, place: Path) -> str:
    if file.path.suffix == ".damaged":
        return "kept aside"
    if file.finished:
        return "waiting"
    return "left open" if is_orphan(place, file.spool) else "being written"


def damage_of(content: Content, *, alive: bool = False) -> str:
    """For people. The end of a segment that is being written may be half a frame for a moment: that is no damage."""
    if content.header is None:
        return f"no sound header; {len(content.behind)} events can be read"
    if not content.unreadable or (alive and content.torn):
        return ""
    if content.torn:
        return f"torn: {content.unreadable} bytes at the end"
    behind = f", {len(content.behind)} events behind them can" if content.behind else ""
    return f"{content.unreadable} bytes can't be read{behind}"
