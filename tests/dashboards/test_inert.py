"""A message that is shown does nothing: no script, no form, no address, nothing loaded, whatever stands in it."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards import inert_css
from dashboards.drawn import HEAT, drawn
from dashboards.heat import Mark, marks
from dashboards.inert import Inert, inert
from sendtrail.instrument import html_part
from tests.dashboards.hostile import HOST, HOSTILE, PLAIN
from tests.instrument.odd import documents


def _words(text: str) -> set[str]:
    return set(text.split())


_ELEMENTS = _words("""
    html head meta title style body a abbr address article aside b bdi bdo big blockquote br caption center cite code
    col colgroup dd del dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li
    main map mark nav ol p pre q s samp section small span strike strong sub sup table tbody td tfoot th thead tr tt u
    ul var wbr
""")
_ATTRIBUTES = _words("""
    align alt bgcolor border cellpadding cellspacing charset class color colspan content dir face height hspace
    http-equiv lang name nowrap role rowspan size src start style title type valign vspace width
""")
_BOX = "data:image/svg+xml,"


class Judge(HTMLParser):
    """Refuses what is not on the short lists above, as a second opinion by another parser."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        if tag not in _ELEMENTS:
            self.problems.append(f"<{tag}>")
        for name, value in attrs:
            if name not in _ATTRIBUTES or (name == "src" and not str(value).startswith(_BOX)):
                self.problems.append(f"{tag} {name}={value}")
            if name == "style" and _loads(str(value)):
                self.problems.append(f"style {value}")
            if name == "http-equiv" and value != "Content-Security-Policy":
                self.problems.append(f"meta {value}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_data(self, data: str) -> None:
        if self._in_style and _loads(data):
            self.problems.append(f"sheet {data}")

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False


def _loads(css: str) -> bool:
    lower = css.lower()
    return any(word in lower for word in ("url", "@import", "image-set", "expression", "src", "\\", "binding", "//"))


def problems(document: str) -> list[str]:
    judge = Judge()
    judge.feed(document)
    judge.close()
    return judge.problems


def shown(source: str) -> Inert:
    return inert(source, {}, lambda number: ("", ""))


@pytest.mark.parametrize("source", HOSTILE)
def test_nothing_hostile_is_left(source: str) -> None:
    document = drawn("html", source, marks("html", source, 1, [])).document
    assert problems(document) == []


def test_the_judge_finds_what_is_hostile() -> None:
    assert [source for source in PLAIN if not problems(source)] == []


hostile_soup = st.lists(st.sampled_from(HOSTILE) | st.sampled_from(["<p>", "</p>", "<!--", "-->", "'", '"', ">", "<a "])
                        | st.text(max_size=8), max_size=8).map("".join)  # fmt: skip


@given(hostile_soup | documents)
def test_no_mixture_is_hostile(source: str) -> None:
    document = drawn("html", source, marks("html", source, 1, [])).document
    assert problems(document) == []


@given(st.text(max_size=60) | hostile_soup)
def test_no_text_part_is_hostile(source: str) -> None:
    assert problems(drawn("text", source, marks("text", source, 1, [])).document) == []


@given(hostile_soup)
def test_what_is_harmless_stays_as_it_is_when_it_is_made_harmless_again(source: str) -> None:
    once = shown(source).body
    assert problems(once) == []
    assert problems(shown(once).body) == []


def test_texts_links_and_styles_stay() -> None:
    source = (
        "<html><head><style>.a { color: red } "
        "@media (max-width: 600px) { .a { width: 100% !important } }</style></head>"
        '<body bgcolor="#f0f0f0" style="margin:0"><table width="600"><tr>'
        '<td style="padding:4px 8px;color:#123" class="a">'
        '<a href="https://shop.example/" style="color:rgb(1,2,3)">Shop &amp; more</a></td></tr></table></body></html>'
    )  # fmt: skip
    made = shown(source)
    assert made.body == (
        '<table width="600"><tbody><tr><td style="padding: 4px 8px; color: #123" class="a">'
        '<a style="color: rgb(1,2,3)">Shop &amp; more</a></td></tr></tbody></table>'
    )
    assert made.styles == ".a { color: red }\n@media (max-width: 600px) { .a { width: 100% !important } }"
    assert made.body_style == "background-color: #f0f0f0; margin: 0"


def test_images_are_boxes_of_their_size_and_small_ones_go() -> None:
    made = shown(
        '<img src="https://a.example/x.png" width="300" height="120" alt="A &lt;red&gt; hat">'
        '<img src="https://t.example/o/AQ" width=1 height=1><img src=x height="50px"><img src=x width=100%>'
    )
    assert made.body.count("<img") == 3
    assert 'width="300" height="120" alt="A &lt;red&gt; hat" src="data:image/svg+xml,%3Csvg' in made.body
    assert "width%3D%22300%22%20height%3D%22120%22" in made.body
    assert "A%20%26lt%3Bred%26gt%3B%20hat" in made.body
    assert "width%3D%22100%22%20height%3D%2250%22" in made.body
    assert "a.example" not in made.body


def test_only_marked_links_are_drawn_each_once() -> None:
    source = '<a href="https://a.example/">one</a> <a href=https://b.example/>two</a> <a href="#top">three</a>'
    edits = {number: link.edit for number, link in enumerate(html_part.find(source).links) if number != 1}
    made = inert(source, edits, lambda number: (f"m{number}", f"[{number}]"))
    assert made.body == '<a class="m0">one[0]</a> <a>two</a> <a class="m2">three[2]</a>'
    assert made.shown == {0, 2}


def test_a_number_can_not_be_forged() -> None:
    source = '<a href="https://a.example/">one</a>'
    numbered = inert(source, {0: html_part.find(source).links[0].edit}, lambda number: ("", "!"))
    assert numbered.body == "<a>one!</a>"
    forged = f'<a href="{HOST}">a</a><a href="#st-0">b</a>' + source
    assert inert(forged, {}, lambda number: ("", "!")).body.count("!") == 0


def test_a_link_in_a_map_stands_beside_its_image_and_one_for_outlook_is_unseen() -> None:
    source = (
        '<img usemap="#m" width=50 height=50><map name=m><area href="https://a.example/" alt="North"></map>'
        '<!--[if mso]><v:rect href="https://b.example/">x</v:rect><![endif]-->'
    )
    found = marks("html", source, 1, [])
    made = drawn("html", source, found)
    assert "North<span" in made.document
    assert [mark.url for mark in made.unseen] == ["https://b.example/"]


@pytest.mark.parametrize(
    "source",
    ["<div>" * 50_000, "<p style='" + "(" * 50_000, "<style>" + "a{" * 50_000, "<a href=x>" * 20_000,
     "<style>p{color:" + "rgb(" * 20_000 + "}</style>", "<table><tr><td>" * 5_000, "&" * 100_000, "<!--" * 50_000],
)  # fmt: skip
def test_deep_and_long_sources_end(source: str) -> None:
    assert problems(drawn("html", source, marks("html", source, 1, [])).document) == []


@given(st.text(max_size=80))
def test_any_style_is_read(text: str) -> None:
    assert not set(inert_css.declarations(text)) & set("<\\{}")
    assert "<" not in inert_css.sheet(text)


@pytest.mark.parametrize(("ground", "ink"), HEAT)
def test_a_badge_can_be_read(ground: str, ink: str) -> None:
    light, dark = sorted((_luminance(ground), _luminance(ink)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_badge_says_share_and_count_and_defends_itself() -> None:
    source = '<a href="https://a.example/">x</a>'
    (mark,) = marks("html", source, 1, [])
    odd = Mark(mark.edit, 1, '"><img src=x onerror=1>', "", 5, None, 4)
    document = drawn("html", source, [odd]).document
    assert problems(document) == []
    assert "– · 5" in document
