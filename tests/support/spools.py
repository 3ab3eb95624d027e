"""Reading spool directories back, and limits on file sizes that make real writes fail."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sendtrail.events import Event, decode
from sendtrail.segments import SegmentHeader, decode_header, frames
from sendtrail.spool_files import segment_files


def segments(directory: Path) -> list[tuple[SegmentHeader, list[bytes]]]:
    """Every segment in a directory, by spool and sequence: its header and its sound payloads."""
    found = []
    for file in segment_files(directory):
        data = file.path.read_bytes()
        decoded = decode_header(data)
        assert decoded is not None, file
        header, start = decoded
        assert (header.spool_id.hex(), header.sequence) == (file.spool, file.sequence)
        found.append((header, [frame.payload for frame in frames(data, start)]))
    return found


def events(directory: Path) -> list[Event]:
    """Every event in a directory, in the order of writing within each spool."""
    decoded = [decode(payload) for _, payloads in segments(directory) for payload in payloads]
    for event in decoded:
        assert isinstance(event, Event), event
    return [event for event in decoded if isinstance(event, Event)]


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """No file of this process grows beyond `size` bytes: writes past it come short, then fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
