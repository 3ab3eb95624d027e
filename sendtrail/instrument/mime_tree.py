"""A MIME message -> its parts with exact offsets in the bytes (RFC 2045, RFC 2046). Nothing is decoded or repaired."""

import re
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesHeaderParser
from typing import NamedTuple

#: Parts inside parts, at most: deeper ones are left alone. Mail programs nest three or four levels.
MAX_DEPTH = 32

_MBOX_LINE = re.compile(rb"From [^\n]*\n")
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:[^\n]*(?:\n|\Z)(?:[ \t][^\n]*(?:\n|\Z))*")
_BLANK_LINE = re.compile(rb"\r?\n")


class Field(NamedTuple):
    """A header field, folded lines and line break included; the name is lower-case."""

    name: str
    start: int
    end: int


class Part(NamedTuple):
    """One part: header fields up to `fields_end`, then a blank line, then the body from `body` to `end`.

    `of` names the multipart types around it, outermost first; `is_root` tells that it is the first of its multipart.
    """

    headers: Message
    fields: tuple[Field, ...]
    fields_end: int
    body: int
    end: int
    of: tuple[str, ...] = ()
    is_root: bool = True
    parts: tuple["Part", ...] = ()

    @property
    def type(self) -> str:
        """The content type, lower-case: `text/html`."""
        return self.headers.get_content_type()

    @property
    def is_attachment(self) -> bool:
        """Whether it is to be kept apart from what the message shows."""
        return self.headers.get_content_disposition() == "attachment" or self.headers.get_filename() is not None

    def has(self, name: str) -> bool:
        """Whether there is a field of that name."""
        return any(field.name == name.lower() for field in self.fields)

    def walk(self) -> Iterator["Part"]:
        """This part and all inside, in order of the message."""
        yield self
        for part in self.parts:
            yield from part.walk()


def parse(data: bytes) -> Part:
    """The whole message as a part. Never raises: what is no MIME is one part of text."""
    mbox = _MBOX_LINE.match(data)
    return _part(data, mbox.end() if mbox else 0, len(data), (), is_root=True)


def _part(data: bytes, start: int, end: int, of: tuple[str, ...], *, is_root: bool) -> Part:
    fields = []
    position = start
    while field := _FIELD.match(data, position, end):
        fields.append(Field(field[1].decode("ascii").lower(), field.start(), field.end()))
        position = field.end()
    blank = _BLANK_LINE.match(data, position, end)
    body = blank.end() if blank else position
    headers = BytesHeaderParser().parsebytes(data[start:position])
    if of and of[-1] == "multipart/digest" and "content-type" not in headers:
        headers.set_default_type("message/rfc822")
    part = Part(headers, tuple(fields), position, body, end, of, is_root)
    boundary = headers.get_boundary()
    if headers.get_content_maintype() != "multipart" or not boundary or len(of) >= MAX_DEPTH:
        return part
    return part._replace(parts=tuple(_children(data, part, boundary.encode("utf-8", "surrogateescape"))))


def _children(data: bytes, around: Part, boundary: bytes) -> Iterator[Part]:
    """The parts between delimiter lines. The line break before such a line belongs to it (RFC 2046, 5.1.1)."""
    line = re.compile(rb"^--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
    start, of, first = None, (*around.of, around.type), True
    for delimiter in line.finditer(data, around.body, around.end):
        if start is not None:
            yield _part(data, start, _before_break(data, start, delimiter.start()), of, is_root=first)
            first = False
        start = None if delimiter[1] else delimiter.end()
        if delimiter[1]:
            break
    if start is not None:  # the message was cut off: the last part goes on to the end
        yield _part(data, start, around.end, of, is_root=first)


def _before_break(data: bytes, start: int, end: int) -> int:
    if data.endswith(b"\r\n", start, end):
        return end - 2
    return end - data.endswith(b"\n", start, end)
