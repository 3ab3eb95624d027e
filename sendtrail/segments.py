"""The file format of a spool segment (FORMATS, Spool segment). Pure: bytes in, bytes out.

Header: `STSG`, format version (1 byte), stream (1 byte), spool id (16 bytes), edge name (1 length byte + UTF-8),
sequence (8), events in the previous segment (8), CRC-32 of all before (4). Then frames: length (4), CRC-32 of the
payload (4), payload. All big-endian. The index of an event is the number of frames before it.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

MAGIC = b"STSG"
FORMAT = 1
FRAME = struct.Struct(">II")
MAX_FRAME_BYTES = 64 * 1024 * 1024  # no writer makes longer ones
_HEAD = struct.Struct(">4sBB16sB")
_TAIL = struct.Struct(">QQ")
_CRC = struct.Struct(">I")
#: Where a frame may begin: its length, below 64 MiB, is not 0. Event lines hold no such bytes.
_MAY_BEGIN = re.compile(rb"(?!\x00\x00\x00\x00)[\x00-\x03]")


class Stream(IntEnum):
    """What the payloads of a segment are."""

    EVENTS = 1  # event lines for tracking.events
    REGISTRY = 2  # registry records for tracking.deliveries
    CONTENTS = 3  # records for tracking.contents
    CONSENTS = 4  # records for tracking.consents


_STREAMS = frozenset(Stream)


class SegmentHeader(NamedTuple):
    """Who wrote a segment and where it stands in its spool.

    `spool_id`: 16 random bytes made at every process start, never reused. `sequence`: from 0 within a spool id.
    `previous_events`: events in the segment before it, so a missing file is seen.
    """

    spool_id: bytes
    edge: str
    sequence: int
    previous_events: int
    stream: Stream = Stream.EVENTS


class Frame(NamedTuple):
    """One payload and the byte position behind it."""

    payload: bytes
    end: int


def encode_header(header: SegmentHeader) -> bytes:
    """The bytes a segment starts with."""
    name = header.edge.encode()
    head = _HEAD.pack(MAGIC, FORMAT, header.stream, header.spool_id, len(name)) + name
    head += _TAIL.pack(header.sequence, header.previous_events)
    return head + _CRC.pack(zlib.crc32(head))


def decode_header(data: bytes) -> tuple[SegmentHeader, int] | None:
    """The header and the position of the first frame; None where the bytes are not a whole, sound header."""
    if len(data) < _HEAD.size:
        return None
    magic, version, stream, spool_id, name_length = _HEAD.unpack_from(data)
    body = _HEAD.size + name_length + _TAIL.size
    if magic != MAGIC or version != FORMAT or stream not in _STREAMS or len(data) < body + _CRC.size:
        return None
    if _CRC.unpack_from(data, body)[0] != zlib.crc32(data[:body]):
        return None
    sequence, previous = _TAIL.unpack_from(data, _HEAD.size + name_length)
    edge = data[_HEAD.size : _HEAD.size + name_length].decode("utf-8", "replace")
    return SegmentHeader(spool_id, edge, sequence, previous, Stream(stream)), body + _CRC.size


def encode_frame(payload: bytes) -> bytes:
    """One payload as it stands in the file. Raises ValueError for an empty one, which is no frame."""
    if not payload:
        raise ValueError("a frame holds at least one byte")
    return FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def frames(data: bytes, start: int = 0) -> Iterator[Frame]:
    """The sound frames from `start` on; stops before the first torn or damaged one.

    Eight zero bytes would be an empty frame with a right checksum: that is what a file system leaves after a power
    cut, so a frame without payload is damage.
    """
    position, size = start, len(data)
    while position + FRAME.size <= size:
        length, checksum = FRAME.unpack_from(data, position)
        end = position + FRAME.size + length
        if length == 0 or end > size:
            return
        payload = data[position + FRAME.size : end]
        if zlib.crc32(payload) != checksum:
            return
        yield Frame(payload, end)
        position = end


def sound_after(data: bytes, start: int) -> int | None:
    """Where the next sound frame at or behind `start` begins: those behind damage may be whole. Else None."""
    for match in _MAY_BEGIN.finditer(data, start):
        position = match.start()
        if next(frames(data, position), None) is not None:
            return position
    return None


def is_torn(rest: bytes) -> bool:
    """True where the bytes behind the last sound frame are the beginning of another, cut off while it was written.

    With sound frames further on its length is damaged instead.
    """
    if len(rest) < FRAME.size:
        return True
    length = FRAME.unpack_from(rest)[0]
    return 0 < length <= MAX_FRAME_BYTES and FRAME.size + length > len(rest) and sound_after(rest, 1) is None
