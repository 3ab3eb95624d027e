"""The PROXY protocol, versions 1 and 2 (HAProxy's specification): whose connection a proxy passes on. Pure."""

import socket
import struct
from typing import NamedTuple

from producers.edge.addresses import normal_address

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_HEAD = struct.Struct(">12sBBH")
_LOCAL, _PROXIED = 0x20, 0x21
#: Family and transport -> address family and its bytes: TCP over IPv4, over IPv6.
_FAMILIES = {0x11: (socket.AF_INET, 4), 0x21: (socket.AF_INET6, 16)}
#: Address families without an address of ours, to be passed over: unspecified, and UDP and Unix sockets.
_PASSED_OVER = frozenset((0x00, 0x12, 0x22, 0x31, 0x32))
#: A header with the proxy's own additions (TLVs). More is no header of a proxy we would trust.
MAX_BYTES = 4096
_FIRST_WORD = b"PROXY "
_MAX_LINE = 107


class Preface(NamedTuple):
    """A whole header: the client's address, None where the proxy speaks for itself, and where the request begins."""

    address: str | None
    end: int


class Unfinished:
    """The header may go on."""


class Malformed:
    """This is no header."""


UNFINISHED, MALFORMED = Unfinished(), Malformed()
Found = Preface | Unfinished | Malformed


def read_preface(data: bytes) -> Found:
    """What the first bytes of a connection say. Never raises."""
    if data[:1] == b"P":
        return _version_1(data)
    if data[: len(_SIGNATURE)] != _SIGNATURE[: len(data)]:
        return MALFORMED
    if len(data) < _HEAD.size:
        return UNFINISHED
    _, command, family, length = _HEAD.unpack_from(data)
    end = _HEAD.size + length
    if command not in (_LOCAL, _PROXIED) or end > MAX_BYTES:
        return MALFORMED
    if len(data) < end:
        return UNFINISHED
    if command == _LOCAL or family in _PASSED_OVER:
        return Preface(None, end)
    return _address(data[_HEAD.size : end], family, end)


def _address(block: bytes, family: int, end: int) -> Found:
    known = _FAMILIES.get(family)
    if known is None or len(block) < 2 * known[1] + 4:
        return MALFORMED
    address = normal_address(socket.inet_ntop(known[0], block[: known[1]]))
    return Preface(address, end) if address else MALFORMED


def _version_1(data: bytes) -> Found:
    line, found, _ = data[:_MAX_LINE].partition(b"\r\n")
    if not found:
        possible = data[: len(_FIRST_WORD)] == _FIRST_WORD[: len(data)] and len(data) < _MAX_LINE
        return UNFINISHED if possible else MALFORMED
    words = line.split(b" ")
    if words[0] != b"PROXY" or len(words) < 2:
        return MALFORMED
    if words[1] == b"UNKNOWN":
        return Preface(None, len(line) + 2)
    if words[1] not in (b"TCP4", b"TCP6") or len(words) != 6 or not all(map(_is_port, words[4:])):
        return MALFORMED
    client, server = (_of_family(word, words[1]) for word in words[2:4])
    return Preface(client, len(line) + 2) if client and server else MALFORMED


def _of_family(word: bytes, name: bytes) -> str | None:
    family = socket.AF_INET if name == b"TCP4" else socket.AF_INET6
    try:
        return normal_address(socket.inet_ntop(family, socket.inet_pton(family, word.decode("ascii"))))
    except (OSError, ValueError):
        return None


def _is_port(word: bytes) -> bool:
    return word.isdigit() and len(word) <= 5 and int(word) <= 65535
