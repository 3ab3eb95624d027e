"""A segment file -> its payloads, from the start to wherever its last sound frame ends."""

import os
from pathlib import Path
from typing import Literal

from sendtrail.segments import FRAME, MAX_FRAME_BYTES, SegmentHeader, decode_header, frames, is_torn

READ_BYTES = 512 * 1024
MAX_HEADER_BYTES = 512

#: What stands behind the last sound frame: nothing, the beginning of a frame, or bytes that are none.
Tail = Literal["clean", "torn", "damaged"]


class SegmentReader:
    """Reads one segment, which may still grow. `position` is behind the last sound frame read."""

    def __init__(self, path: Path) -> None:
        """Raises OSError, FileNotFoundError among them."""
        self.path = path
        self.header: SegmentHeader | None = None
        self.position = 0
        self._descriptor = os.open(path, os.O_RDONLY)

    def read(self) -> list[bytes]:
        """The next payloads; none at the present end of what is sound."""
        if self.header is None and not self._read_header():
            return []
        data = os.pread(self._descriptor, READ_BYTES, self.position)
        found = list(frames(data))
        if not found and len(data) == READ_BYTES:
            found = list(frames(self._read_large(data)))
        if not found:
            return []
        self.position += found[-1].end
        return [frame.payload for frame in found]

    def tail(self) -> Tail:
        """What is behind the last payload, once `read` gives none."""
        if self.header is None:
            return "damaged"
        rest = os.pread(self._descriptor, os.fstat(self._descriptor).st_size - self.position, self.position)
        if not rest:
            return "clean"
        return "torn" if is_torn(rest) else "damaged"

    def close(self) -> None:
        os.close(self._descriptor)

    def _read_header(self) -> bool:
        read = decode_header(os.pread(self._descriptor, MAX_HEADER_BYTES, 0))
        if read is None:
            return False
        self.header, self.position = read
        return True

    def _read_large(self, data: bytes) -> bytes:
        """A frame larger than one read, where its length is credible."""
        length = FRAME.unpack_from(data)[0]
        if length > MAX_FRAME_BYTES:
            return b""
        return os.pread(self._descriptor, FRAME.size + length, self.position)
