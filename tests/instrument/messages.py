"""MIME messages as mail has them, for property tests: each built from its fixed bytes and its parts' bodies."""

from __future__ import annotations

import base64
import quopri
from collections.abc import Callable
from typing import NamedTuple

from hypothesis import strategies as st

from tests.instrument.odd import documents

CHARSETS = ["utf-8", "us-ascii", "iso-8859-1", "windows-1252", "iso-2022-jp", "gb2312", "utf-16", "koi8-r"]
ENCODINGS = ["7bit", "8bit", "quoted-printable", "base64", ""]
KINDS = [
    "text/html", "text/plain", "text/plain; format=flowed", "text/x-amp-html", "text/calendar", "image/png",
    "application/pdf",
]  # fmt: skip
texts = documents | st.lists(
    st.sampled_from([
        "https://e.example/1", "(https://e.example/2).", " ", "\n", "-- \n", "日本", "é", "--b0", "x" * 90, "=", ".",
    ])
).map("".join)  # fmt: skip


class Built(NamedTuple):
    """A message as pieces: odd ones are the bodies of parts, in between is what must not change."""

    pieces: list[bytes]

    @property
    def data(self) -> bytes:
        return b"".join(self.pieces)


@st.composite
def leaves(draw: st.DrawFn, line_break: bytes) -> list[bytes]:
    kind, charset = draw(st.sampled_from(KINDS)), draw(st.sampled_from(CHARSETS))
    encoding = draw(st.sampled_from(["quoted-printable", "base64"] if charset == "utf-16" else ENCODINGS))
    text = draw(texts).replace("\r\n", "\n").replace("\n", line_break.decode())
    raw = text.encode(charset, "xmlcharrefreplace")
    if encoding == "base64":
        body = base64.encodebytes(raw).replace(b"\n", line_break)
    elif encoding == "quoted-printable" and charset != "utf-16":
        body = quopri.encodestring(raw)
    elif encoding == "quoted-printable":
        body = b"".join(b"=%02X" % byte for byte in raw)
    else:
        body = raw
    case: Callable[[str], str] = draw(st.sampled_from([str.title, str.upper, str.lower]))
    quoted = draw(st.sampled_from([charset, f'"{charset}"']))
    head = f"{case('Content-Type')}: {kind};{line_break.decode()}\tcharset={quoted}"
    fields = [head.encode()]
    if encoding:
        fields.append(f"{case('Content-Transfer-Encoding')}: {case(encoding)}".encode())
    if draw(st.booleans()) and draw(st.booleans()):
        fields.append(b'Content-Disposition: attachment; filename="a.txt"')
    fields.append(b"X-Odd:" + draw(st.sampled_from([b"", b" \xff\xfe", b" a\t", b" =?utf-8?q?=C3=A9?="])))
    return [line_break.join(fields) + line_break * 2, body, b""]


@st.composite
def entities(draw: st.DrawFn, line_break: bytes, depth: int) -> list[bytes]:
    """Fixed bytes and bodies in turn, beginning and ending with fixed ones."""
    if depth == 0 or draw(st.booleans()):
        return draw(leaves(line_break))
    boundary = f"b{depth}" + draw(st.sampled_from(["", "=_x", "'(a) +,./:=?", "-" * 20]))
    subtype = draw(st.sampled_from(["mixed", "alternative", "related", "x-odd"]))
    fixed = f'Content-Type: multipart/{subtype}; boundary="{boundary}"'.encode() + line_break * 2
    pieces = [fixed + draw(st.sampled_from([b"", b"preamble " + line_break]))]
    for part in draw(st.lists(entities(line_break, depth - 1), min_size=1, max_size=3)):
        pieces[-1] += b"--" + boundary.encode() + draw(st.sampled_from([b"", b" \t"])) + line_break + part[0]
        pieces += part[1:]
        pieces[-1] += line_break
    pieces[-1] += b"--" + boundary.encode() + b"--"
    pieces[-1] += draw(st.sampled_from([b"", line_break + b"epilogue https://e.example/no"]))
    return pieces


@st.composite
def messages(draw: st.DrawFn) -> Built:
    line_break = draw(st.sampled_from([b"\r\n", b"\n"]))
    top = line_break.join([b"From: a@e.example", b"Subject: odd", b" folded", b"MIME-Version: 1.0", b""])
    pieces = draw(entities(line_break, draw(st.integers(0, 3))))
    return Built([top + pieces[0], *pieces[1:]])
