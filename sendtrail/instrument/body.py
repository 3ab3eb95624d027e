"""Placeholders outside links, for senders who have no engine of their own to fill them."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from sendtrail.instrument.found import Edit, Notice
from sendtrail.instrument.html_part import document_tokens
from sendtrail.instrument.markup import Token
from sendtrail.instrument.pieces import Fill, HowFilled, Placed
from sendtrail.instrument.placeholders import Field

_TEXT_ELEMENTS = ("title", "textarea")
_URL_ATTRIBUTES = frozenset(("href", "src", "background", "action", "cite", "poster"))
_HTTP = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)


class _Stretch(NamedTuple):
    """Where values are written in one way, and how one at its very start; None where none is written safely."""

    start: int
    end: int
    how: HowFilled | None
    how_at_start: HowFilled | None = None


def fills_of_text(source: str, placeholder: re.Pattern[str], placed: list[Placed]) -> list[Placed]:
    """The placeholders of a text part, links apart."""
    return list(_fills(source, placeholder, [_Stretch(0, len(source), "text")], placed, []))


def fills_of_html(
    source: str, placeholder: re.Pattern[str], placed: list[Placed], notices: list[Notice]
) -> list[Placed]:
    """The placeholders of an HTML part, links apart: in text and in quoted attributes.

    Elsewhere (scripts, styles, unquoted attributes, inside tags) a value could become markup: those stay, with a
    notice.
    """
    return list(_fills(source, placeholder, _stretches(source), placed, notices))


def how_at(source: str) -> Callable[[int], HowFilled | None]:
    """Says of a place in an HTML part how a value is written there; None where it could become markup."""
    stretches = list(_stretches(source))

    def how(place: int) -> HowFilled | None:
        found = bisect_right(stretches, place, key=lambda stretch: stretch.start) - 1
        if found < 0 or stretches[found].end <= place:
            return None
        stretch = stretches[found]
        return (stretch.how_at_start if place == stretch.start else None) or stretch.how

    return how


def _fills(
    source: str,
    placeholder: re.Pattern[str],
    stretches: Iterable[_Stretch],
    placed: list[Placed],
    notices: list[Notice],
) -> Iterator[Placed]:
    taken = sorted(one.edit for one in placed)
    seen: dict[str, int] = {}
    for stretch in stretches:
        for match in placeholder.finditer(source, stretch.start, stretch.end):
            before = bisect_left(taken, match.end(), key=lambda edit: edit.start) - 1
            if before >= 0 and taken[before].end > match.start():
                continue
            how = (stretch.how_at_start if match.start() == stretch.start else None) or stretch.how
            if how is None:
                text = f"{match[0]} is neither in text nor in a quoted attribute: it stays"
                notices.append(Notice("unfilled_placeholder", text))
                continue
            name = match[1]
            occurrence = seen[name] = seen.get(name, -1) + 1
            yield Placed(Edit(match.start(), match.end()), Fill(Field(name, occurrence, match[0]), how))


def _stretches(source: str) -> Iterator[_Stretch]:
    before = Token("text", 0, 0)
    for token in document_tokens(source):
        if token.kind == "text":
            yield _Stretch(token.start, token.end, "html")
        elif token.kind == "raw":
            shows_text = token.finished and before.name in _TEXT_ELEMENTS
            yield _Stretch(token.start, token.end, "html" if shows_text else None)
        elif token.kind == "start":
            yield from _in_tag(source, token)
        before = token


def _in_tag(source: str, tag: Token) -> Iterator[_Stretch]:
    position = tag.start
    for attribute in tag.attributes if tag.finished else ():
        if not attribute.quote:
            continue
        start, end = attribute.value_start, attribute.value_end
        yield _Stretch(position, start, None)
        if attribute.name in _URL_ATTRIBUTES:  # at its start a value is the whole URL, or its scheme
            yield _Stretch(start, end, "url" if _HTTP.match(source, start, end) else "address", "html")
        else:
            yield _Stretch(start, end, "html")
        position = end
    yield _Stretch(position, tag.end, None)
