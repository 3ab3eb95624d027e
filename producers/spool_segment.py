"""One segment file while it is written. A frame that is whole in the file stays: a reader may have taken it."""

import os
from collections.abc import Sequence
from pathlib import Path

from sendtrail.segments import SegmentHeader, encode_header
from sendtrail.spool_files import new_path, segment_path


class OpenSegment:
    """A segment from its first events to its last. It has its name only once events are in it, so none is empty."""

    def __init__(self, directory: Path, header: SegmentHeader, opened_at: float) -> None:
        """Make the file. Raises OSError."""
        self._directory = directory
        self._spool = header.spool_id.hex()
        self.sequence = header.sequence
        self.opened_at = opened_at
        self.events = 0
        self._head: bytes | None = encode_header(header)
        self._path = new_path(directory, self._spool)
        self.descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        self.size = 0

    def write(self, frames: Sequence[bytes]) -> OSError | None:
        """Append frames with one write. On an error the frames that got in whole are kept, a torn one is cut away.

        `events` says afterwards how many are in the file.
        """
        data = b"".join(frames) if self._head is None else b"".join((self._head, *frames))
        error = None
        try:
            written = os.write(self.descriptor, data)
            while written < len(data):
                written += os.write(self.descriptor, data[written:])
            self.size += written
            self.events += len(frames)
        except OSError as failure:
            error = failure
            self._keep_whole(frames)
        return self._named() or error

    def finish(self) -> None:
        """Give the segment the name of a finished one. Raises OSError. The descriptor stays open for its last sync."""
        if self._head is None:
            os.rename(self._path, segment_path(self._directory, self._spool, self.sequence, "seg"))
        else:
            self._path.unlink(missing_ok=True)

    def _keep_whole(self, frames: Sequence[bytes]) -> None:
        end = os.fstat(self.descriptor).st_size
        good = self.size if self._head is None else self.size + len(self._head)
        for frame in frames:
            if good + len(frame) > end:
                break
            good += len(frame)
            self.events += 1
        self.size = min(good, end)
        os.ftruncate(self.descriptor, self.size)

    def _named(self) -> OSError | None:
        if self._head is None or not self.events:
            return None
        target = segment_path(self._directory, self._spool, self.sequence, "open")
        try:
            os.rename(self._path, target)
        except OSError as error:
            self.events = 0
            return error
        self._path, self._head = target, None
        return None
