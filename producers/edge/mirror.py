"""A delivery's stored content + the values of a mirror link -> the page that link shows.

The content is what the API was given (`sendtrail.contents`): its tracked links are unsigned. Here each is signed for
the message whose mirror link was followed, with the key that proved that link: it works as long as the links of the
message do. The pixel is taken out: looking at the mirror is a hit already.
"""

import html
import os
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from sendtrail import content_files, mirror
from sendtrail.contents import MAX_BYTES, Part
from sendtrail.errors import BadLink
from sendtrail.instrument.body import how_at
from sendtrail.instrument.placeholders import SYNTAXES, pattern_of
from sendtrail.keyring import LinkKey
from sendtrail.links import (
    LETTERS,
    Link,
    Signer,
    check_destination,
    head_bytes,
    identity_bytes,
    place_bytes,
    read_unproved,
)

#: What is kept ready at once, of all deliveries.
MAX_CONTENTS = 64
MAX_BYTES_KEPT = 32 * 1024 * 1024

_TRACKED = re.compile(r"/([ocum])/([A-Za-z0-9_-]{34,12000})")
_BASE = re.compile(r"https?://[^\s\"'<>]+")
_MAX_BASE = 300
_NO_IMAGE = "data:image/gif;base64,R0lGODlhAQABAAAAACw="
#: One pattern, so that a value is never looked at for placeholders. Its groups are the names, in the order of SYNTAXES.
_PLACEHOLDER = re.compile("|".join(found.pattern for syntax in SYNTAXES if (found := pattern_of(syntax)) is not None))
#: Those signs mean nothing else; `%x%` and `${x}` could, and stay where there is no value of that name.
_SURELY = ("{{", "*|")
_TEXT_PAGE = (
    '<!doctype html><html><head><meta name="viewport" content="width=device-width, initial-scale=1"><style>'
    ":root{color-scheme:light dark}pre{font:1rem/1.5 ui-monospace,monospace;white-space:pre-wrap;"
    "overflow-wrap:anywhere;max-width:80ch;margin:2rem auto;padding:0 1rem}"
    "</style></head><body><pre>%s</pre></body></html>"
)


_Escape = Callable[[str], str]


class _Field(NamedTuple):
    """A placeholder: its name, what stands there without a value, and how one is escaped; None: none is written."""

    name: str
    without: str
    escape: _Escape | None


class _Slot(NamedTuple):
    """A tracked link: the host it is on, what its token says, and its destination cut at placeholders."""

    base: str
    link: Link
    destination: tuple[str | _Field, ...]


class Compiled(NamedTuple):
    """A content cut at its tracked links and placeholders."""

    pieces: tuple[str | _Field | _Slot, ...]
    part: Part

    @property
    def slots(self) -> list[_Slot]:
        """Its tracked links."""
        return [piece for piece in self.pieces if isinstance(piece, _Slot)]


def compile_content(content: str, part: Part, delivery: int) -> Compiled:
    """Find the content's own unsigned links, and its placeholders. What only looks like one is text."""
    pieces: list[str | _Field | _Slot] = []
    position, way_at = 0, _ways(content) if part == "html" else _as_text
    for match in _TRACKED.finditer(content):
        start = content.rfind("http", max(position, match.start() - _MAX_BASE), match.start())
        link = read_unproved(match[2])
        if (
            link is None
            or (link.delivery, link.message) != (delivery, 0)
            or LETTERS[link.kind] != match[1]
            or start < 0
            or not _BASE.fullmatch(content, start, match.start())
        ):
            continue
        pieces += _cut(content, way_at, position, start)
        pieces.append(_Slot(content[start : match.start()], link, _cut(link.destination, _as_url)))
        position = match.end()
    return Compiled((*pieces, *_cut(content, way_at, position)), part)


def _cut(
    text: str, way_at: Callable[[int], _Escape | None], start: int = 0, end: int | None = None
) -> tuple[str | _Field, ...]:
    pieces: list[str | _Field] = []
    end = len(text) if end is None else end
    for match in _PLACEHOLDER.finditer(text, start, end):
        name = next(name for name in match.groups() if name is not None)
        without = "" if match[0].startswith(_SURELY) else match[0]
        pieces += [text[start : match.start()], _Field(name, without, way_at(match.start()))]
        start = match.end()
    return (*pieces, text[start:end])


def _ways(content: str) -> Callable[[int], _Escape | None]:
    """How values are escaped at a place of an HTML content."""
    if not _PLACEHOLDER.search(content):
        return _as_text
    how = how_at(content)
    return lambda place: _ESCAPES.get(how(place) or "")


def _as_text(_: int) -> _Escape:
    return html.escape


def _as_url(_: int) -> _Escape:
    return _quoted


def page_of(compiled: Compiled, shown: Link, key: LinkKey) -> str:
    """The HTML that the mirror link `shown` leads to. Values are escaped for where they stand."""
    values, signer = mirror.values_in(shown.destination), Signer(key)
    is_html = compiled.part == "html"
    written = []
    for piece in compiled.pieces:
        if isinstance(piece, str):
            written.append(piece if is_html else html.escape(piece))
        elif isinstance(piece, _Field):
            written.append(_value(piece, values))
        else:
            address = _address(piece, shown, signer, values)
            written.append(address if is_html else f'<a href="{address}">{address}</a>')
    page = "".join(written)
    return page if is_html else _TEXT_PAGE % page


def _address(slot: _Slot, shown: Link, signer: Signer, values: Mapping[str, str]) -> str:
    """The link as this message's own."""
    link = slot.link
    if link.kind == "open":
        return _NO_IMAGE
    destination = link.destination
    if len(slot.destination) > 1:
        filled = [piece if isinstance(piece, str) else _value(piece, values) for piece in slot.destination]
        destination = "".join(filled)
    if link.kind == "mirror" and not destination:
        destination = shown.destination
    try:
        if destination:
            check_destination(destination)
    except BadLink:
        return "#"  # a value made it no URL
    body = head_bytes(signer.key_id, link.kind, link.flags | shown.flags, shown.recipient is not None)
    body += identity_bytes(shown.delivery, shown.message, shown.recipient)
    body += place_bytes(link.url_id, link.position, destination)
    return f"{slot.base}/{LETTERS[link.kind]}/{signer.seal(body)}"


def _value(field: _Field, values: Mapping[str, str]) -> str:
    value = values.get(field.name)
    return field.without if value is None or field.escape is None else field.escape(value)


def _quoted(value: str) -> str:
    return quote(value, safe="", errors="replace")


def _quoted_address(value: str) -> str:
    return quote(value, safe="@+", errors="replace")


#: As `sendtrail.instrument` writes them with `fill_body`. Elsewhere (scripts, styles, unquoted attributes, comments) a
#: value could become markup.
_ESCAPES: dict[str, _Escape] = {"html": html.escape, "url": _quoted, "address": _quoted_address}


class Contents:
    """The contents in a directory, read when they are asked for and again when their file has changed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._kept: OrderedDict[tuple[int, Part], tuple[tuple[int, int, int], Compiled]] = OrderedDict()

    @property
    def kept(self) -> int:
        """How many parts are kept ready."""
        return len(self._kept)

    def of(self, delivery: int) -> Compiled | None:
        """A delivery's content, as HTML where there is both; None where there is none that can be read."""
        return self._read(delivery, "html") or self._read(delivery, "text")

    def _read(self, delivery: int, part: Part) -> Compiled | None:
        place = (delivery, part)
        try:
            with open(content_files.path_of(self._directory, delivery, part), "rb") as file:
                status = os.fstat(file.fileno())
                stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
                kept = self._kept.get(place)
                if kept is not None and kept[0] == stamp:
                    self._kept.move_to_end(place)
                    return kept[1]
                content = file.read(MAX_BYTES + 1).decode()
        except (OSError, UnicodeDecodeError):
            self._kept.pop(place, None)
            return None
        if len(content) > MAX_BYTES:
            return None
        compiled = compile_content(content, part, delivery)
        self._keep(place, stamp, compiled)
        return compiled

    def _keep(self, place: tuple[int, Part], stamp: tuple[int, int, int], compiled: Compiled) -> None:
        self._kept[place] = (stamp, compiled)
        self._kept.move_to_end(place)
        while len(self._kept) > MAX_CONTENTS or self._bytes() > MAX_BYTES_KEPT:
            self._kept.popitem(last=False)

    def _bytes(self) -> int:
        return sum(size for (_, _, size), _ in self._kept.values())
