"""Where the links of a message stand and how hot they are: positions agree with those of the links that are sent."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.heat import Mark, Place, heat, marks
from sendtrail.contents import PARTS, Part
from sendtrail.instrument import Policy, Template, UrlRule, compile
from sendtrail.instrument.placeholders import likely_syntax
from sendtrail.links import TEXT_POSITION, Link, read_unproved
from tests.instrument.odd import documents
from tests.support.golden import golden_keyring

KEYRING = golden_keyring()
BASE = "https://t.example"
HTML = """<a href="https://a.example/1">One</a> <a href="mailto:x@a.example">no</a> <a href="https://a.example/2">Two</a>
<a href="https://a.example/1"><img alt="One again"></a> <a href="#" data-st-mode="optout">Leave</a>
<!--[if mso]><v:rect href="https://a.example/3">Button</v:rect><![endif]-->"""
TEXT = "One: https://a.example/1. Leave: sendtrail:optout"


def template(html: str | None = HTML, text: str | None = TEXT, **options: object) -> Template:
    return compile(html=html, text=text, delivery="spring", keyring=KEYRING, base_url=BASE, **options)  # type: ignore[arg-type]


def sent(made: Template, part: Part) -> list[Link]:
    """The links of a part as they are sent, opens apart, in order."""
    found = []
    for piece in (made.contents().get(part) or "").split(f"{BASE}/")[1:]:
        letter, _, rest = piece.partition("/")
        token = "".join(sign for sign in rest.partition('"')[0].partition("'")[0].split()[0:1])
        link = read_unproved(token.rstrip(".,>")) if letter in "cum" else None
        if link is not None:
            found.append(link)
    return found


def places_of(links: list[Link], random: Random) -> list[Place]:
    return [
        Place(link.position, link.url_id, f"L{link.position}", link.destination, random.randrange(1, 50))
        for link in links
    ]


@pytest.mark.parametrize("part", PARTS)
def test_every_tracked_link_has_its_hits(part: Part) -> None:
    made = template()
    links = [link for one in PARTS for link in sent(made, one)]
    places = places_of(links, Random(1))
    found = marks(part, made.contents()[part], made.delivery_key, places)
    mine = [link for link in links if (link.position > TEXT_POSITION) == (part == "text")]
    assert [mark.number for mark in found] == [link.position % TEXT_POSITION for link in mine]
    assert [mark.url for mark in found] == [link.destination for link in mine]
    counted = {place.position: place for place in places}
    assert [(mark.hits, mark.label) for mark in found] == [
        (counted[link.position].hits, counted[link.position].label) for link in mine
    ]
    total = sum(place.hits for place in places)
    assert [mark.share for mark in found] == [Fraction(mark.hits, total) for mark in found]


def test_the_source_itself_is_numbered_alike() -> None:
    made, random = template(), Random(2)
    links = [link for one in PARTS for link in sent(made, one)]
    places = places_of(links, random)
    for part, source in (("html", HTML), ("text", TEXT)):
        told = marks(part, made.contents()[part], made.delivery_key, places)  # type: ignore[arg-type]
        counted = marks(part, source, made.delivery_key, places)  # type: ignore[arg-type]
        assert [(mark.number, mark.hits, mark.label) for mark in counted] == [
            (mark.number, mark.hits, mark.label) for mark in told
        ]


@given(documents)
def test_any_html_is_numbered_as_it_is_sent(source: str) -> None:
    made = template(source, None, policy=Policy(visible_urls="track", placeholders=likely_syntax(source)))
    told = marks("html", made.contents()["html"], made.delivery_key, [])
    assert [mark.number for mark in told] == [mark.number for mark in marks("html", source, made.delivery_key, [])]


def test_personalised_links_are_numbered_as_they_are_sent() -> None:
    source = (
        '<a href="https://{{host}}/">no</a><a href="https://a.example/{{id}}">1</a><a href="https://a.example/">2</a>'
    )
    made = template(source, None, policy=Policy(placeholders="{{x}}"))
    for content in (source, made.contents()["html"]):
        assert [mark.number for mark in marks("html", content, made.delivery_key, [])] == [1, 2]


def test_links_that_are_not_tracked_keep_their_number_and_have_no_mark() -> None:
    policy = Policy(urls={"https://a.example/2": UrlRule("never")})
    made = template(policy=policy)
    assert [mark.number for mark in marks("html", made.contents()["html"], made.delivery_key, [])] == [1, 3, 4, 5]


def test_hits_of_another_link_at_a_position_are_not_taken_for_its_own() -> None:
    made = template()
    (first, *_) = sent(made, "html")
    places = [Place(1, first.url_id, "One", "", 3), Place(1, first.url_id + 1, "Other", "", 5), Place(0, 7, "", "", 2)]
    (mark, *rest) = marks("html", made.contents()["html"], made.delivery_key, places)
    assert (mark.hits, mark.share, mark.label) == (3, Fraction(3, 10), "One")
    assert {other.hits for other in rest} == {0}


def test_links_of_another_delivery_are_no_places_of_this_one() -> None:
    made = template()
    assert marks("html", made.contents()["html"], made.delivery_key + 1, []) == []


def test_a_message_without_hits_has_no_shares_and_no_heat() -> None:
    found = marks("html", HTML, 1, [])
    assert {(mark.hits, mark.share, mark.heat) for mark in found} == {(0, None, 0)}
    assert found[0].label == "https://a.example/1"


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_heat_grows_with_hits_and_is_of_five_degrees(hits: int, hottest: int) -> None:
    degree = heat(min(hits, hottest), hottest)
    assert degree in range(5)
    assert (degree == 0) == (min(hits, hottest) == 0)
    assert heat(hottest, hottest) == (4 if hottest else 0)
    assert degree <= heat(hottest, hottest)


def test_degrees_are_quarters() -> None:
    assert Counter(heat(hits, 100) for hits in range(101)) == {0: 1, 1: 25, 2: 25, 3: 25, 4: 25}


def test_the_edit_is_where_the_url_stands() -> None:
    (mark, *_) = marks("text", TEXT, 1, [])
    assert isinstance(mark, Mark)
    assert TEXT[mark.edit.start : mark.edit.end] == "https://a.example/1"
