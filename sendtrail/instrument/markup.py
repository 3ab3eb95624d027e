"""HTML -> tags, text and comments with exact offsets, as a browser would cut it (WHATWG HTML, tokenization).

Only what finding links needs: no tree, no repair, nothing thrown away. Every character belongs to exactly one token,
and tokens come in order, so edits by offset leave everything else as it was.
"""

import html
import re
from collections.abc import Iterator
from html.entities import html5
from typing import Literal, NamedTuple

_SPACE = "\t\n\f\r "
_SKIP = re.compile(r"[\t\n\f\r /]*")
_BLANK = re.compile(r"[\t\n\f\r ]*")
_TAG_NAME = re.compile(r"[A-Za-z][^\t\n\f\r />]*")
_ATTRIBUTE_NAME = re.compile(r"[^\t\n\f\r />][^\t\n\f\r />=]*")
_UNQUOTED = re.compile(r"[^\t\n\f\r >]*")
_COMMENT_END = re.compile(r"--!?>")
_REFERENCE = re.compile(
    r"&(?:#0*[0-9]{1,7}(?![0-9]);?|#[xX]0*[0-9A-Fa-f]{1,6}(?![0-9A-Fa-f]);?|[A-Za-z][A-Za-z0-9]*;?)"
)

#: Elements whose content is text to a browser whatever it looks like.
_RAW = frozenset(("script", "style", "xmp", "iframe", "noembed", "noframes", "title", "textarea"))
_FOREIGN = frozenset(("svg", "math"))


class Attribute(NamedTuple):
    """One attribute: `start` to `end` is all of it, `value_start` to `value_end` the value as written, without quotes.

    `quote` is empty for an unquoted value; `has_value` is False for a bare name.
    """

    name: str
    start: int
    end: int
    value_start: int
    value_end: int
    quote: str
    has_value: bool


class Token(NamedTuple):
    """A piece of the document. `name` is lower-case for tags; `finished` is False where the document ends inside it.

    `for_outlook`: it stands in a conditional comment, which only Outlook looks into.
    """

    kind: Literal["start", "end", "text", "raw", "comment", "other"]
    start: int
    end: int
    name: str = ""
    attributes: tuple[Attribute, ...] = ()
    finished: bool = True
    for_outlook: bool = False

    def first(self, name: str) -> Attribute | None:
        """The attribute of that name that counts: of several, browsers take the first."""
        return next((attribute for attribute in self.attributes if attribute.name == name), None)


def tokens(source: str, start: int = 0, end: int | None = None) -> Iterator[Token]:
    """Cut `source[start:end]`. Joined, the tokens are the source."""
    end = len(source) if end is None else end
    position, foreign = start, 0
    while position < end:
        opening = source.find("<", position, end)
        while opening != -1 and not _opens(source, opening, end):
            opening = source.find("<", opening + 1, end)
        if opening != position:
            stop = end if opening == -1 else opening
            yield Token("text", position, stop)
            position = stop
            continue
        token = _markup(source, position, end, foreign > 0)
        yield token
        position = token.end
        alone = source[position - 2 : position] == "/>"
        if token.name in _FOREIGN and not alone:
            foreign = max(0, foreign + (1 if token.kind == "start" else -1))
        if _holds_raw(token) and not (foreign and alone):
            raw = _raw(source, position, end, token.name)
            if raw.end > raw.start or not raw.finished:
                yield raw
            position = raw.end


def decode_references(text: str, in_attribute: bool = False) -> str:
    """Character references resolved: `&amp;` -> `&`. In attributes `&copy=1` stays, as browsers leave it."""

    def resolved(match: re.Match[str]) -> str:
        reference = match[0]
        if reference[1] == "#":
            return html.unescape(reference) or _control(reference)
        if not in_attribute:
            return html.unescape(reference)
        if not reference.endswith(";") and text[match.end() : match.end() + 1] == "=":
            return reference
        return html5.get(reference[1:], reference)

    return _REFERENCE.sub(resolved, text) if "&" in text else text


def _control(reference: str) -> str:
    """The control character of a numeric reference: browsers keep those that Python leaves out."""
    digits = reference[2:].rstrip(";")
    return chr(int(digits[1:], 16) if digits[0] in "xX" else int(digits))


def _holds_raw(token: Token) -> bool:
    return token.kind == "start" and token.finished and (token.name in _RAW or token.name == "plaintext")


def _opens(source: str, opening: int, end: int) -> bool:
    """Whether the `<` there begins markup and is no text."""
    follower = source[opening + 1 : opening + 2] if opening + 1 < end else ""
    if follower == "/":
        return opening + 2 < end
    return follower in ("!", "?") if not follower.isalpha() else follower.isascii()


def _markup(source: str, start: int, end: int, foreign: bool) -> Token:
    follower = source[start + 1]
    if follower == "!":
        return _declaration(source, start, end, foreign)
    closing = follower == "/"
    name = _TAG_NAME.match(source, start + 1 + closing, end)
    if name is None:  # `<?…>`, `</>`, `</ …>`: a bogus comment
        return _until(source, start, end, ">", "other")
    attributes, stop = _attributes(source, name.end(), end)
    kind: Literal["start", "end"] = "end" if closing else "start"
    finished = stop is not None
    return Token(kind, start, end if stop is None else stop, name[0].lower(), attributes, finished)


def _declaration(source: str, start: int, end: int, foreign: bool) -> Token:
    if foreign and source.startswith("<![CDATA[", start, end):
        return _until(source, start, end, "]]>", "raw")
    if not source.startswith("<!--", start, end):
        return _until(source, start, end, ">", "other")
    if source.startswith((">", "->"), start + 4, end):
        return _until(source, start, end, ">", "comment")
    closing = _COMMENT_END.search(source, start + 4, end)
    return Token("comment", start, closing.end() if closing else end, finished=closing is not None)


def _until(source: str, start: int, end: int, closing: str, kind: Literal["other", "comment", "raw"]) -> Token:
    stop = source.find(closing, start, end)
    return Token(kind, start, end if stop == -1 else stop + len(closing), finished=stop != -1)


def _raw(source: str, start: int, end: int, name: str) -> Token:
    if name == "plaintext":
        return Token("raw", start, end, finished=False)
    closing = re.compile(rf"</{name}[\t\n\f\r />]", re.IGNORECASE).search(source, start, end)
    return Token("raw", start, closing.start() if closing else end, finished=closing is not None)


def _attributes(source: str, position: int, end: int) -> tuple[tuple[Attribute, ...], int | None]:
    """The attributes of a tag and the position behind its `>`; None where the document ends first."""
    found: list[Attribute] = []
    while True:
        position = _end(_SKIP, source, position, end)
        if position >= end:
            return tuple(found), None
        if source[position] == ">":
            return tuple(found), position + 1
        attribute = _attribute(source, position, end)
        if attribute is None:
            return tuple(found), None
        found.append(attribute)
        position = attribute.end


def _attribute(source: str, start: int, end: int) -> Attribute | None:
    name_end = _end(_ATTRIBUTE_NAME, source, start, end)
    name = source[start:name_end].lower()
    equals = _end(_BLANK, source, name_end, end)
    if equals >= end or source[equals] != "=":
        return Attribute(name, start, name_end, name_end, name_end, "", False)
    value = _end(_BLANK, source, equals + 1, end)
    if value >= end:
        return None
    quote = source[value]
    if quote in "\"'":
        closing = source.find(quote, value + 1, end)
        return None if closing == -1 else Attribute(name, start, closing + 1, value + 1, closing, quote, True)
    value_end = _end(_UNQUOTED, source, value, end)
    return Attribute(name, start, value_end, value, value_end, "", value_end > value)


def _end(pattern: re.Pattern[str], source: str, position: int, end: int) -> int:
    match = pattern.match(source, position, end)
    return match.end() if match else position
