"""What is added around links: pixel, honeypot, List-Unsubscribe, attributes; and recipients who do not consent."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given

from sendtrail.errors import BadAttributes
from sendtrail.events import FLAG_HONEYPOT, FLAG_NO_COOKIE, FLAG_PROOF, FLAG_SEED
from sendtrail.instrument import Policy
from sendtrail.instrument.markup import tokens
from sendtrail.instrument.parts import CLIPPED_BYTES, NEAR_BYTES
from tests.instrument.making import BASE, codes, destinations, links_in, made
from tests.instrument.odd import documents

PIXEL = re.compile(r'<img src="https://t\.example/o/[^>]*>')
LINKS = (
    '<a href="https://a.example/?b&amp;c" title="t">1</a><a href=https://a.example/d>2</a>'
    '<a href="https://a.example/out" data-st-mode="optout">3</a><a data-st-mode="optout">4</a>'
    '<a href="https://a.example/copy" data-st-mode="mirror">5</a>'
)


def without(html: str | None) -> str:
    """A part with a mark for its pixel."""
    return PIXEL.sub("|", html or "")


@pytest.mark.parametrize(
    ("source", "start"),
    [
        ("<!DOCTYPE html><html><head><title>x</title></head><body class='a'>x</body></html>", "<body class='a'>"),
        ("<!doctype html>\n<p>x", "<!doctype html>"),
        ("\ufeff<p>x", "\ufeff"),
        ("<p>x", ""),
        ("", ""),
        ("<html><head></head>x", "</head>"),
        ("<html>x", "<html>"),
        ("<!-- <body> --><html><!--[if mso]><body><![endif]--><BODY>x<body>y", "<BODY>"),
        ("<title><body></title><body\n>x", "<body\n>"),
        ("<!DOCTYPE html", ""),
        ("x<body", ""),
    ],
)
def test_a_pixel_at_the_start(source: str, start: str) -> None:
    html = made(source, policy=Policy(pixel_place="start")).render(1).html
    assert without(html) == source.replace(start, start + "|", 1)


def test_a_message_near_gmails_limit_has_its_pixel_at_the_start() -> None:
    def places(size: int, letter: str = "x", **options: Any) -> tuple[str, list[str]]:
        body = letter * ((size - len("<body></body>")) // len(letter.encode()))
        template = made(f"<body>{body}</body>", policy=Policy(**options))
        return re.sub(f"{letter}{letter}+", letter, without(template.render(1).html)), list(codes(template))

    assert NEAR_BYTES < CLIPPED_BYTES
    assert places(NEAR_BYTES - 1) == ("<body>x|</body>", [])
    assert places(NEAR_BYTES) == ("<body>|x</body>", ["clipped"])
    assert places(NEAR_BYTES + 2, "é") == ("<body>|é</body>", ["clipped"])
    assert places(NEAR_BYTES, pixel_place="end") == ("<body>x|</body>", [])
    assert places(NEAR_BYTES, pixel=False) == ("<body>x</body>", [])


def test_links_count_for_the_size() -> None:
    html = "<body>{}</body>".format('<a href="https://a.example/">x</a>' * 900)
    assert len(html) < NEAR_BYTES / 2
    assert codes(made(html)) == ["clipped"]


def test_the_honeypot() -> None:
    policy = Policy(honeypot="https://a.example/trap?a&b")
    template = made("<body><a href=https://a.example/>x</a></body>", "text", policy=policy)
    rendered = template.render(1, "anna", seed=True)
    _, trap, pixel = links_in(rendered.html)
    assert (trap.kind, trap.destination, trap.position) == ("click", "https://a.example/trap?a&b", 0)
    assert pixel.kind == "open"
    assert trap.flags == FLAG_HONEYPOT | FLAG_SEED
    assert pixel.flags == FLAG_SEED
    (tag,) = [token for token in tokens(rendered.html or "") if token.kind == "start" and token.first("aria-hidden")]
    html = rendered.html or ""
    shown = {attribute.name: html[attribute.value_start : attribute.value_end] for attribute in tag.attributes}
    assert (shown["tabindex"], shown["aria-hidden"]) == ("-1", "true")
    assert "display:none" in shown["style"]
    assert html[tag.end :].startswith("</a><img")
    assert ("https://a.example/trap?a&b", "Honeypot") in [(u.url, u.label) for u in template.urls]
    assert rendered.text == "text"


@given(documents)
def test_the_honeypot_is_one_insertion(source: str) -> None:
    plain = made(source, policy=Policy(pixel=False)).render(1).html or ""
    html = made(source, policy=Policy(pixel=False, honeypot="https://a.example/trap")).render(1).html or ""
    (trap,) = re.findall(r'<a href="https://t\.example/c/[\w-]+" style="display:none[^>]*></a>', html)
    assert html.replace(trap, "") == plain


def test_without_consent_links_work_and_nothing_is_tracked_but_leaving() -> None:
    policy = Policy(honeypot="https://a.example/trap")
    template = made(LINKS, "https://a.example/?b&c and sendtrail:optout", policy=policy)
    rendered = template.render(1, "anna", consent=False)
    kinds = [(link.kind, link.destination, link.flags) for link in links_in(rendered.html)]
    assert kinds == [("optout", "https://a.example/out", FLAG_NO_COOKIE), ("optout", "", FLAG_NO_COOKIE)]
    html = rendered.html or ""
    assert html.startswith('<a href="https://a.example/?b&amp;c" title="t">1</a><a href=https://a.example/d>2</a>')
    assert html.endswith('<a href="https://a.example/copy">5</a>')
    assert (rendered.text or "").startswith(f"https://a.example/?b&c and {BASE}/u/")
    assert [name for name, _ in rendered.headers] == ["List-Unsubscribe", "List-Unsubscribe-Post"]
    again = template.render(2, "ben")
    assert len(links_in(again.html)) == 7


def test_without_consent_pages_that_the_edge_makes_are_still_reached() -> None:
    html = (
        '<a data-st-mode="mirror" href="https://mirror.invalid/?n={{n}}">1</a><a data-st-mode="mirror">2</a>'
        '<a data-st-mode="mirror" href="https://a.example/{{n}}">3</a>'
    )
    template = made(html, policy=Policy(placeholders="{{x}}", one_click=False))
    rendered = template.render(1, consent=False, values={"n": "a&b"})
    assert [(link.kind, link.destination) for link in links_in(rendered.html)] == [
        ("mirror", "https://mirror.invalid/?n=a%26b"), ("mirror", ""),
    ]  # fmt: skip
    assert '<a href="https://a.example/a%26b">3</a>' in (rendered.html or "")


def test_without_consent_destinations_are_still_the_senders() -> None:
    policy = Policy(parameters={"utm": "1"}, placeholders="{{x}}", pixel=False, one_click=False)
    html = (
        '<base href="https://b.example/"><a href="rel?x&amp;y">1</a><a href=https://a.example/{{p}}?x&amp;y>2</a>'
        "<a href='https://a.example/'>3</a>"
    )
    rendered = made(html, "https://a.example/{{p}}", policy=policy).render(1, consent=False, values={"p": "a'b>"})
    assert rendered.html == (
        '<base href="https://b.example/"><a href="https://b.example/rel?x&amp;y&amp;utm=1">1</a>'
        "<a href=https://a.example/a%27b%3E?x&amp;y&amp;utm=1>2</a><a href='https://a.example/?utm=1'>3</a>"
    )
    assert rendered.text == "https://a.example/a%27b%3E?utm=1"


@given(documents)
def test_without_consent_odd_html_is_the_input_without_hints(source: str) -> None:
    template = made(source, policy=Policy(one_click=False))
    assert template.render(1, consent=False).html == source


@pytest.mark.parametrize(("name", "flag"), [("seed", FLAG_SEED), ("proof", FLAG_PROOF)])
def test_seed_and_proof_are_on_every_link(name: str, flag: int) -> None:
    template = made(LINKS)
    options: dict[str, Any] = {name: True}
    rendered = template.render(1, "r", **options)
    assert {link.flags & (FLAG_SEED | FLAG_PROOF) for link in links_in(rendered.html)} == {flag}
    assert template.identity(1, "r", **options).flags == flag
    assert template.prepared(1, 5, "r", **options)[name] is True


def test_list_unsubscribe_by_mail_too() -> None:
    mailto = "mailto:leave@a.example?subject=leave%20spring"
    both = made("x", policy=Policy(unsubscribe_mailto=mailto)).render(1).headers
    assert re.fullmatch(r"<https://t\.example/u/[\w-]+>, <" + re.escape(mailto) + ">", both[0][1])
    assert [name for name, _ in both] == ["List-Unsubscribe", "List-Unsubscribe-Post"]
    alone = made("x", policy=Policy(unsubscribe_mailto=mailto, one_click=False)).render(1).headers
    assert alone == [("List-Unsubscribe", f"<{mailto}>")]


def test_attributes_of_a_message() -> None:
    template = made("x")
    attributes = {f"name {n}": "v" * 256 for n in range(8)}
    assert template.prepared(1, 5, attributes=attributes)["attributes"] == attributes
    assert "attributes" not in template.prepared(1, 5, attributes={})


@pytest.mark.parametrize(
    ("attributes", "named"),
    [
        ({str(n): "" for n in range(9)}, "9"),
        ({"age": 7}, "age"),
        ({"long": "x" * 257}, "long"),
        ({"n" * 257: "x"}, "nnn"),
        ({"none": None}, "none"),
    ],
)
def test_attributes_that_are_refused(attributes: dict[str, object], named: str) -> None:
    with pytest.raises(BadAttributes, match=named):
        made("x").prepared(1, 5, attributes=attributes)


def test_parameters_of_destinations_are_no_part_of_the_url_that_reports_show() -> None:
    template = made(LINKS, policy=Policy(parameters={"utm": "1"}))
    assert destinations(template.render(1).html)[0] == "https://a.example/?b&c&utm=1"
    assert template.urls[0].url == "https://a.example/?b&c"
