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
from sendtrail.events import FLAG_NO_RECIPIENT
from sendtrail.instrument.placeholders import SYNTAXES, pattern_of
from sendtrail.keyring import LinkKey
from sendtrail.links import LETTERS, Link, mint, read_unproved

#: What is kept ready at once, of all deliveries.
MAX_CONTENTS = 64
MAX_CHARACTERS = 32 * 1024 * 1024

_TRACKED = re.compile(r"(https?://[^\s\"'<>]{1,300}?/)([ocum])/([A-Za-z0-9_-]{34,12000})")
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


class _Slot(NamedTuple):
    base: str
    link: Link


class Compiled(NamedTuple):
    """A content cut at its tracked links: text, link, text, and so on."""

    texts: tuple[str, ...]
    slots: tuple[_Slot, ...]
    part: Part


def compile_content(content: str, part: Part, delivery: int) -> Compiled:
    """Find the content's own unsigned links. What only looks like one is text."""
    texts: list[str] = []
    slots: list[_Slot] = []
    position = 0
    for match in _TRACKED.finditer(content):
        link = read_unproved(match[3])
        if link is None or (link.delivery, link.message) != (delivery, 0) or LETTERS[link.kind] != match[2]:
            continue
        texts.append(content[position : match.start()])
        slots.append(_Slot(match[1], link))
        position = match.end()
    return Compiled((*texts, content[position:]), tuple(slots), part)


def page_of(compiled: Compiled, shown: Link, key: LinkKey) -> str:
    """The HTML that the mirror link `shown` leads to. Values are escaped for where they stand."""
    values = mirror.values_in(shown.destination)
    filled = [_fill(text, values, html.escape if compiled.part == "html" else str) for text in compiled.texts]
    pieces = filled[:1]
    for slot, text in zip(compiled.slots, filled[1:], strict=True):
        pieces += [_address(slot, shown, key, values), text]
    if compiled.part == "html":
        return "".join(pieces)
    escaped = [html.escape(piece) for piece in pieces]
    escaped[1::2] = [f'<a href="{address}">{address}</a>' for address in escaped[1::2]]
    return _TEXT_PAGE % "".join(escaped)


def _address(slot: _Slot, shown: Link, key: LinkKey, values: Mapping[str, str]) -> str:
    """The link as this message's own."""
    link = slot.link
    if link.kind == "open":
        return _NO_IMAGE
    destination = _fill(link.destination, values, _quoted)
    if link.kind == "mirror" and not destination:
        destination = shown.destination
    flags = (link.flags | shown.flags) & ~FLAG_NO_RECIPIENT
    own = link._replace(message=shown.message, recipient=shown.recipient, destination=destination, flags=flags)
    try:
        return f"{slot.base}{LETTERS[link.kind]}/{mint(key, own)}"
    except BadLink:
        return "#"  # a value made it no URL


def _quoted(value: str) -> str:
    return quote(value, safe="", errors="replace")


def _fill(text: str, values: Mapping[str, str], escape: Callable[[str], str]) -> str:
    def value_of(match: re.Match[str]) -> str:
        name = next(name for name in match.groups() if name is not None)
        if name in values:
            return escape(values[name])
        return "" if match[0].startswith(_SURELY) else match[0]

    return _PLACEHOLDER.sub(value_of, text)


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
        while len(self._kept) > MAX_CONTENTS or self._characters() > MAX_CHARACTERS:
            self._kept.popitem(last=False)

    def _characters(self) -> int:
        return sum(len(text) for _, compiled in self._kept.values() for text in compiled.texts)
