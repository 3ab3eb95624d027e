"""Which links of a message are tracked, where they lead, and which are left as they are."""

from __future__ import annotations

import pytest

from sendtrail.instrument import Policy, UrlRule
from sendtrail.instrument.found import NoticeCode
from sendtrail.links import url_id_of
from tests.instrument.making import BASE, TRACKED, codes, links_in, made


@pytest.mark.parametrize(
    ("markup", "destination"),
    [
        ('<a href="  https://a.example/b\n">', "https://a.example/b"),
        ('<a href="https://a.example/b\r\n\tc d">', "https://a.example/bc%20d"),
        ("<a href=https://a.example/b/>", "https://a.example/b/"),
        ('<a href="https://a.example/?a=1&copy=2&amp;x&#61;3">', "https://a.example/?a=1&copy=2&x=3"),
        ('<a href="HTTPS://A.example/">', "HTTPS://A.example/"),
        ('<a href="https://bücher.example/ü">', "https://bücher.example/ü"),
        ('<base href="https://a.example/d/e"><a href="../f?g#h">', "https://a.example/f?g#h"),
        ('<base href="https://a.example/d/"><a href="//b.example/c">', "https://b.example/c"),
        ('<base href="https://a.example/d/"><a href="e//f">', "https://a.example/d/e//f"),
        ('<base href="https://a.example"><a href="c/./d/..">', "https://a.example/c/"),
        ('<base href="https://a.example/d/e?f"><a href="?g">', "https://a.example/d/e?g"),
        ('<base href="https://a.example/d/"><a href="/../../g?../h">', "https://a.example/g?../h"),
        ('<base><base href="https://a.example/"><base href="https://b.example/"><a href="c">', "https://a.example/c"),
        ('<!--[if mso]><v:roundrect href="https://a.example/b" style="x"><![endif]-->', "https://a.example/b"),
        ('<a href="https://a.example/b" href="https://a.example/c">', "https://a.example/b"),
    ],
)
def test_a_destination_is_what_a_browser_would_follow(markup: str, destination: str) -> None:
    (link,) = links_in(made(markup, policy=Policy(pixel=False)).render(1).html)
    assert link.destination == destination
    assert link.url_id == url_id_of(destination)


@pytest.mark.parametrize(
    ("markup", "code"),
    [
        ('<a href="mailto:a@b.example">', None),
        ('<a href="tel:1">', None),
        ('<a href="sms:1">', None),
        ('<a href="cid:1">', None),
        ('<a href="data:text/html,x">', None),
        ('<a href="javascript:void(0)">', None),
        ('<a href="#x">', None),
        ('<base href="https://a.example/"><a href="#x">', None),
        ('<a href="">', None),
        ("<a href>", None),
        ("<a name=x>", None),
        ('<a href="page.html">', "relative_link"),
        ('<a href="//a.example/b">', "relative_link"),
        ('<a href="?https://a.example/">', "relative_link"),
        ('<a href="https://">', "bad_destination"),
        ('<a href="https://a.exa\x01mple/">', "bad_destination"),
        (f'<a href="https://a.example/{"x" * 8200}">', "bad_destination"),
        ('<a href="https://[::1">', "bad_destination"),
        ('<a href="mailto:a@b.example" data-st-mode="optout">', "optout_not_http"),
        ("<!-- <a href='https://a.example/'> -->", None),
        ("<textarea><a href='https://a.example/'></textarea>", None),
        ("<a href='https://a.example/", "unfinished_markup"),
    ],
)
def test_what_is_left_as_it_is(markup: str, code: NoticeCode | None) -> None:
    template = made(markup, policy=Policy(pixel=False))
    assert template.render(1).html == markup.replace(' data-st-mode="optout"', "")
    assert codes(template) == ([code] if code else [])


def test_modes_by_hint_policy_and_likeness() -> None:
    html = (
        '<a href="https://a.example/out" data-st-mode="OPTOUT">1</a><a href="https://a.example/out">2</a>'
        '<a href="https://a.example/no" data-st-mode="never">3</a><a href="https://a.example/rule">4</a>'
        '<a href="https://a.example/rule" data-st-mode="tracked">5</a><a data-st-mode="optout">6</a>'
        '<a href="sendtrail:mirror">7</a><a href="#">8</a><a href="https://a.example/x" data-st-mode="odd">9</a>'
    )
    text = "https://a.example/out https://a.example/no https://a.example/rule"
    policy = Policy(pixel=False, urls={"https://a.example/rule": UrlRule("not_tracked", "Rule", "cat")})
    template = made(html, text, policy=policy)
    rendered = template.render(1)
    assert [(link.kind, link.position, link.destination) for link in links_in(rendered.html)] == [
        ("optout", 1, "https://a.example/out"), ("optout", 2, "https://a.example/out"),
        ("click", 5, "https://a.example/rule"), ("optout", 6, ""), ("mirror", 7, ""), ("click", 8, "https://a.example/x"),
    ]  # fmt: skip
    assert '<a href="https://t.example/u/' in (rendered.html or "").partition("5</a>")[2]
    assert [(link.kind, link.position) for link in links_in(rendered.text)] == [("optout", 32769)]
    assert "https://a.example/no" in (rendered.html or "")
    assert (rendered.text or "").endswith(" https://a.example/no https://a.example/rule")
    assert codes(template) == ["mirror_without_destination", "unknown_mode"]
    modes = [(u.url, u.mode, u.label) for u in template.urls]
    assert modes == [
        ("https://a.example/out", "optout", "1"), ("https://a.example/no", "never", "3"),
        ("https://a.example/rule", "tracked", "Rule"),
        ("sendtrail:optout", "optout", "6"), ("sendtrail:mirror", "mirror", "7"),
        ("https://a.example/x", "tracked", "9"),
    ]  # fmt: skip
    assert len({u.url_id for u in template.urls}) == len(template.urls)


def test_the_same_warning_is_given_once() -> None:
    assert codes(made('<a href="page.html">1</a>' * 3)) == ["relative_link"]


def test_a_link_that_carries_a_tracked_one_is_tracked() -> None:
    tracked = made('<a href="https://a.example/">x</a>').render(1).html or ""
    inner = BASE + TRACKED.findall(tracked)[0]
    share = f"https://social.example/share?u={inner}"
    assert links_in(made(f'<a href="{share}">x</a>').render(1).html)[0].destination == share
