"""PROXY protocol headers: examples of both versions, and bytes that are none."""

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.edge.proxy_protocol import MALFORMED, MAX_BYTES, UNFINISHED, Preface, read_preface

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
REQUEST = b"GET / HTTP/1.1\r\n\r\n"


def version_2(client: str, server: str = "", *, command: int = 0x21, family: int = 0, tlvs: bytes = b"") -> bytes:
    """A header as a proxy makes it."""
    kind = socket.AF_INET6 if ":" in client else socket.AF_INET
    server = server or ("2001:db8::9" if ":" in client else "198.51.100.9")
    block = socket.inet_pton(kind, client) + socket.inet_pton(kind, server) + struct.pack(">HH", 40_000, 443) + tlvs
    family = family or (0x21 if kind == socket.AF_INET6 else 0x11)
    return SIGNATURE + struct.pack(">BBH", command, family, len(block)) + block


WHOLE = [
    (version_2("192.0.2.7"), "192.0.2.7"),
    (version_2("2001:db8::7"), "2001:db8::7"),
    (version_2("::ffff:192.0.2.7"), "192.0.2.7"),
    (version_2("192.0.2.7", tlvs=b"\x04\x00\x03abc"), "192.0.2.7"),
    (version_2("192.0.2.7", command=0x20), None),  # the proxy's own health check
    (SIGNATURE + b"\x20\x00\x00\x00", None),
    (SIGNATURE + b"\x21\x00\x00\x00", None),
    (b"PROXY TCP4 192.0.2.7 198.51.100.9 40000 443\r\n", "192.0.2.7"),
    (b"PROXY TCP6 2001:DB8::7 2001:db8::9 40000 443\r\n", "2001:db8::7"),
    (b"PROXY UNKNOWN\r\n", None),
    (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None),
]

BAD = [
    REQUEST,
    b"POST / HTTP/1.1\r\n\r\n",
    b"PROXY\r\n",
    b"PROXY TCP4 192.0.2.7 198.51.100.9 40000\r\n",
    b"PROXY TCP4 192.0.2.7 198.51.100.9 40000 65536\r\n",
    b"PROXY TCP4 192.0.2.7 198.51.100.9 40000 -1\r\n",
    b"PROXY TCP4 2001:db8::7 198.51.100.9 40000 443\r\n",
    b"PROXY TCP4 192.0.2.7 nowhere 40000 443\r\n",
    b"PROXY TCP4 192.0.2.700 198.51.100.9 40000 443\r\n",
    b"PROXY UDP4 192.0.2.7 198.51.100.9 40000 443\r\n",
    b"PROXY TCP4 " + b"1" * 200,
    SIGNATURE + b"\x31\x11\x00\x0c" + bytes(12),  # version 3
    SIGNATURE + b"\x22\x11\x00\x0c" + bytes(12),  # a command that is none
    SIGNATURE + b"\x21\x13\x00\x0c" + bytes(12),
    SIGNATURE + b"\x21\x11\x00\x0b" + bytes(11),  # shorter than its addresses
    SIGNATURE + b"\x21\x21\x00\x0c" + bytes(12),
    SIGNATURE + struct.pack(">BBH", 0x21, 0x11, MAX_BYTES),
    SIGNATURE[:-1] + b"X",
    b"\x16\x03\x01",
]


@pytest.mark.parametrize(("header", "address"), WHOLE)
def test_headers(header: bytes, address: str | None) -> None:
    assert read_preface(header + REQUEST) == Preface(address, len(header))
    for end in range(len(header)):
        assert read_preface(header[:end]) is UNFINISHED


@pytest.mark.parametrize("data", BAD)
def test_what_is_no_header(data: bytes) -> None:
    assert read_preface(data) is MALFORMED


@given(st.binary(max_size=200), st.integers(0, 30))
def test_any_bytes_are_answered_and_end_within_what_was_given(data: bytes, kept: int) -> None:
    header = version_2("192.0.2.7")
    for sent in (data, header[:kept] + data, b"PROXY " + data):
        found = read_preface(sent)
        assert not isinstance(found, Preface) or 0 < found.end <= len(sent)
