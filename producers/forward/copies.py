"""Spool files that lie somewhere, of an edge that is gone -> a directory that a forwarder may empty. The files stay.

Whole segments are linked to. Of damaged ones what stands before the damage is copied, under their own names, so that
Kafka gets the same packs as before; what can be read behind the damage becomes a spool of its own.
"""

import os
from pathlib import Path
from typing import NamedTuple

from producers.forward.forwarder import KEYED_DIRECTORIES
from producers.forward.source import LOCK_NAME
from producers.spool import SpoolWriter
from producers.spool_inspect import Content, files_of, places, read_content
from producers.spool_lock import is_held, is_orphan
from sendtrail.errors import SendtrailError
from sendtrail.events import Event, decode
from sendtrail.segments import Stream, encode_frame, encode_header
from sendtrail.spool_files import SegmentFile, lock_owners, segment_path


class SpoolInUseError(SendtrailError):
    """The directory is not a copy: a process lives on it."""


class Copied(NamedTuple):
    """What there is to forward: segments, events, those among them read from behind damage."""

    segments: int
    events: int
    salvaged: int


def copy(directory: Path, work: Path) -> Copied:
    """Fill `work` from a spool directory. Raises SpoolInUseError where a forwarder or an edge lives on it, OSError."""
    total = Copied(0, 0, 0)
    for place in places(directory):
        _refuse_used(place)
        target = work / place.relative_to(directory)
        target.mkdir(parents=True, exist_ok=True)
        for file in files_of(place):
            content = read_content(file.path.read_bytes())
            _copy(file, content, target)
            salvaged = _salvage(content, target)
            events = total.events + len(content.payloads) + salvaged
            total = Copied(total.segments + 1, events, total.salvaged + salvaged)
    return total


def roots(work: Path) -> list[Path]:
    """The directories a forwarder must be given to empty `work`: it finds the keyed ones in theirs by itself."""
    found = {place.parent if place.name in KEYED_DIRECTORIES and place != work else place for place in places(work)}
    return sorted(found)


def _refuse_used(place: Path) -> None:
    if is_held(place / LOCK_NAME):
        raise SpoolInUseError(f"a forwarder has {place}: it sends what is there by itself")
    for spool in lock_owners(place):  # between two segments, too: its writer keeps the lock
        if not is_orphan(place, spool):
            raise SpoolInUseError(f"an edge writes to {place}: name it in forward.spool_dirs instead")


def _copy(file: SegmentFile, content: Content, target: Path) -> None:
    if content.header is None or not content.payloads:
        return
    path = segment_path(target, file.spool, file.sequence, "seg")
    if not content.unreadable:
        path.symlink_to(file.path.resolve())
        return
    path.write_bytes(encode_header(content.header) + b"".join(map(encode_frame, content.payloads)))
    written = file.path.stat().st_mtime_ns
    os.utime(path, ns=(written, written))


def _salvage(content: Content, target: Path) -> int:
    """Write what stands behind damage into a new spool; how many. Ids tell Kafka's readers what they know already."""
    if not content.behind:
        return 0
    header = content.header
    stream = Stream.EVENTS if header is None else header.stream
    writer = SpoolWriter(target, header.edge if header else "salvaged", stream=stream, fsync="none", count_loss=False)
    try:
        if stream is not Stream.EVENTS:
            return writer.append_payloads(content.behind)
        found = [event for line in content.behind if isinstance(event := decode(line), Event)]
        return writer.append(found)
    finally:
        writer.close()
