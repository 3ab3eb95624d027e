"""A message's content and its counted hits -> marks: where each link stands, and how hot it is. Pure.

Positions are those of `sendtrail.instrument`: the same finder, and the same numbering where the content has no tracked
links that say it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dashboards.indicators import Rate, rate
from sendtrail.contents import Part
from sendtrail.instrument import Policy, html_part, text_part
from sendtrail.instrument.found import Edit, FoundPart
from sendtrail.instrument.pieces import Slot
from sendtrail.instrument.placeholders import likely_syntax
from sendtrail.instrument.slots import SlotMaker
from sendtrail.instrument.url_book import UrlBook
from sendtrail.links import LETTERS, TEXT_POSITION, Link, LinkKind, read_unproved

#: Degrees of heat, from none to the hottest.
DEGREES = 5


@dataclass(frozen=True)
class Place:
    """Counted hits on one link at one position, as query hot_clicks has them."""

    position: int
    url_id: int
    label: str
    url: str
    hits: int


@dataclass(frozen=True)
class Mark:
    """A link of the content. `edit`: where its URL stands there. `number`: its position in its part, from 1.

    `label`: what people call it; `url`: where it leads, empty for own pages. `share`: of all hits, opens apart, None
    where there are none. `heat`: 0 without hits, else 1-4 beside the hottest place of the message.
    """

    edit: Edit
    number: int
    label: str
    url: str
    hits: int
    share: Rate
    heat: int


class _Found(NamedTuple):
    """A link of the content at its position. `url_id` None: the position alone tells it."""

    edit: Edit
    position: int
    url_id: int | None
    url: str


def marks(part: Part, content: str, delivery: int, places: Sequence[Place]) -> list[Mark]:
    """A mark for every tracked link of the content, in its order; `places`: all of the message, both parts'."""
    total, hottest = sum(place.hits for place in places), max((place.hits for place in places), default=0)
    found = html_part.find(content) if part == "html" else text_part.find(content)
    before_first = 0 if part == "html" else TEXT_POSITION
    made = []
    policy = Policy(visible_urls="track", placeholders=likely_syntax(content))
    for link in _told(found, delivery) or _counted(found, delivery, before_first, policy):
        here = [place for place in places if place.position == link.position and link.url_id in (None, place.url_id)]
        hits = sum(place.hits for place in here)
        label = next((place.label or place.url for place in here), "") or link.url
        made.append(
            Mark(link.edit, link.position - before_first, label, link.url, hits, rate(hits, total), heat(hits, hottest))
        )
    return made


def heat(hits: int, hottest: int) -> int:
    """0 for no hits, else 1 to 4: quarters of the hottest place."""
    if hits <= 0 or hottest <= 0:
        return 0
    return max(1, min(DEGREES - 1, -(-(DEGREES - 1) * hits // hottest)))


def _told(found: FoundPart, delivery: int) -> list[_Found]:
    """Links that are tracked ones of the delivery: their tokens say where they stand."""
    read = [(link, _token_of(link.url)) for link in found.links]
    return [
        _Found(link.edit, said.position, said.url_id, said.destination)
        for link, said in read
        if said is not None and said.delivery == delivery and said.position
    ]


def _token_of(url: str) -> Link | None:
    before, _, token = url.rpartition("/")
    letter = before.rpartition("/")[2]
    link = read_unproved(token) if letter in LETTERS.values() else None
    return link if link is not None and LETTERS[link.kind] == letter else None


def _counted(found: FoundPart, delivery: int, before_first: int, policy: Policy) -> Iterator[_Found]:
    """Links in the order in which instrumenting the content numbers them."""
    urls = {link.edit: link.url for link in found.links}
    maker = SlotMaker(policy, UrlBook(delivery), _tracked_kind)
    for placed in maker.place(found, before_first):
        if isinstance(placed.slot, Slot):
            yield _Found(placed.edit, placed.slot.position, None, urls[placed.edit])


def _tracked_kind(url: str) -> LinkKind | None:
    told = _token_of(url)
    return told.kind if told else None
