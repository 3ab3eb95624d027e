"""Keys and values of the state: bytes that sort as the store wants them (time first where time ends an entry).

i + id (16)                                        -> place of the first sight (12)
t + transaction id (16)                            -> place (12), log time (6)
s + spool id (16)                                  -> segment (8), index (8), log time (6)
r + hash of spool, segment and line (16)           -> place of the first sight of a rejected line (12), log time (6)
o + log day (2), delivery, message (8 each)        -> the message's hits (hits.py)
n + log hour (4), address                          -> links followed from the address (watch_addresses.py)
l                                                  -> how much was rejected lately (reject_rate.py)
q                                                  -> re-labels that wait for a record with room (waiting.py)
a, and 0xff in families of their own               -> next source offset not yet applied (8)
"""

import hashlib
import struct

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
ADDRESSES = b"n"
APPLIED = b"a"
APPLIED_LAST = b"\xff"
IDS = b"i"
HITS = b"o"
REJECTED = b"r"
REJECT_RATE = b"l"
SPOOLS = b"s"
TRANSACTIONS = b"t"
WAITING = b"q"

OFFSET_BYTES, _INDEX = 8, 4
PLACE_BYTES = OFFSET_BYTES + _INDEX
_MS = 6
_HITS = struct.Struct(">cHQQ")


def id_key(event_id: str) -> bytes:
    """Of an event's first sight; starts with the id's time."""
    return IDS + bytes.fromhex(event_id)


def transaction_key(event_id: str) -> bytes:
    """Of a transaction's first sight."""
    return TRANSACTIONS + bytes.fromhex(event_id)


def spool_key(spool: str) -> bytes:
    """Of a spool's mark."""
    return SPOOLS + bytes.fromhex(spool)


def rejected_key(spool: str, segment: int, line: bytes) -> bytes:
    """Of a rejected line's first sight."""
    said = hashlib.blake2b(bytes.fromhex(spool), digest_size=16)
    said.update(segment.to_bytes(8, "big"))
    said.update(line)
    return REJECTED + said.digest()


def hits_key(log_day: int, delivery: int, message: int) -> bytes:
    """Of the hits of one message, as of a day of log time."""
    return _HITS.pack(HITS, log_day, delivery, message)


def address_key(log_hour: int, address: str) -> bytes:
    """Of what was followed from an address, as of an hour of log time."""
    return ADDRESSES + log_hour.to_bytes(4, "big") + address.encode()


def hour_before(key: bytes) -> bytes:
    """The same address an hour of log time earlier."""
    return key[:1] + (int.from_bytes(key[1:5], "big") - 1).to_bytes(4, "big") + key[5:]


def day_before(key: bytes) -> bytes:
    """The same message a day of log time earlier."""
    return key[:1] + (int.from_bytes(key[1:3], "big") - 1).to_bytes(2, "big") + key[3:]


def places(offset: int, lines: int) -> list[bytes]:
    """The places of a record's lines in the log, as bytes that sort alike: 8 bytes offset, 4 bytes index."""
    record = offset.to_bytes(OFFSET_BYTES, "big")
    return [record + index.to_bytes(_INDEX, "big") for index in range(lines)]


def time_bytes(time_ms: int) -> bytes:
    """Milliseconds as in an id."""
    return time_ms.to_bytes(_MS, "big")


def mark_value(mark: tuple[int, int], time_ms: int) -> bytes:
    """A spool's mark and the log time it was made at."""
    return mark[0].to_bytes(8, "big") + mark[1].to_bytes(8, "big") + time_bytes(time_ms)


def read_mark(value: bytes | None) -> tuple[int, int]:
    """(segment, index); (-1, -1) where the spool is new."""
    if value is None:
        return -1, -1
    return int.from_bytes(value[:8], "big"), int.from_bytes(value[8:16], "big")


def read_time(value: bytes) -> int:
    """The log time at the end of a value."""
    return int.from_bytes(value[-_MS:], "big")
