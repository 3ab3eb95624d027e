"""What a policy makes of links: modes by URL and pattern, links that show addresses, and what can't be."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.errors import PolicyError
from sendtrail.instrument import Policy, UrlRule
from sendtrail.instrument.destinations import shows_url
from tests.instrument.making import codes, destinations, links_in, made

SHOP = "https://shop.example/"


def link(url: str, shown: str = "x", hints: str = "") -> str:
    return f'<a href="{url}"{hints}>{shown}</a>'


def policy(**options: Any) -> Policy:
    return Policy(pixel=False, one_click=False, **options)


def test_a_rule_by_url_beats_patterns_and_the_first_pattern_that_fits_holds() -> None:
    rules = policy(
        urls={f"{SHOP}a": UrlRule("tracked", label="Exact")},
        patterns={f"{SHOP}*": UrlRule("not_tracked"), "*": UrlRule(label="All", category="rest")},
    )
    template = made(link(f"{SHOP}a") + link(f"{SHOP}b?c=*#d") + link("https://other.example/"), policy=rules)
    assert destinations(template.render(1).html) == [f"{SHOP}a", "https://other.example/"]
    assert [(u.url, u.mode, u.label, u.category) for u in template.urls] == [
        (f"{SHOP}a", "tracked", "Exact", ""), (f"{SHOP}b?c=*#d", "not_tracked", "x", ""),
        ("https://other.example/", "tracked", "All", "rest"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "url", "fits"),
    [
        ("https://*.example/*", "https://shop.example/x", True),
        ("https://*.example/*", "https://shop.example", False),
        ("https://shop.example/a.b", "https://shop.example/aXb", False),
        ("*?id=*", "https://shop.example/x?id=", True),
        ("", "https://shop.example/", False),
        ("*", "https://shop.example/", True),
        ("https://shop.example/*/*", "https://shop.example/", False),
        ("https://shop.example/*example/", "https://shop.example/", False),
        ("*b*a*", "https://shop.example/b", False),
        ("**shop**/", "https://shop.example/", True),
        (f"{'*a' * 40}*b", f"https://shop.example/{'a' * 5000}", False),
        ("https://shop.example/{{ id }}", "https://shop.example/{{id}}", True),
    ],
)
def test_patterns(pattern: str, url: str, fits: bool) -> None:
    rules = policy(patterns={pattern: UrlRule("never")}, placeholders="{{x}}")
    assert [u.mode for u in made(link(url), policy=rules).urls] == ["never" if fits else "tracked"]


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_a_pattern_fits_what_its_regular_expression_would(pattern: str, text: str) -> None:
    url = SHOP + text
    rules = policy(patterns={SHOP + pattern: UrlRule("never")})
    (entry,) = made(link(url), policy=rules).urls
    wanted = re.fullmatch(".*".join(map(re.escape, (SHOP + pattern).split("*"))), url)
    assert entry.mode == ("never" if wanted else "tracked")


def test_hints_beat_rules() -> None:
    rules = policy(urls={SHOP: UrlRule("never", "By rule", "rule")})
    template = made(link(SHOP, hints=' data-st-mode="always" data-st-label="By hint"'), policy=rules)
    assert [(u.mode, u.label, u.category) for u in template.urls] == [("always", "By hint", "rule")]
    assert destinations(template.render(1).html) == [SHOP]


def test_a_rule_without_a_mode_leaves_it_to_the_message() -> None:
    rules = policy(urls={SHOP: UrlRule(label="Shop")})
    template = made(link(SHOP, hints=' data-st-mode="never"') + link(SHOP), policy=rules)
    assert links_in(template.render(1).html) == []
    assert [(u.mode, u.label) for u in template.urls] == [("never", "Shop")]


@pytest.mark.parametrize(
    ("destination", "kind", "leads"),
    [(None, "optout", f"{SHOP}leave"), ("", "optout", ""), ("https://crm.example/out", "optout", "https://crm.example/out"),
     (None, "mirror", f"{SHOP}leave"), ("https://crm.example/copy", "mirror", "https://crm.example/copy")],
)  # fmt: skip
def test_opt_out_and_mirror_with_and_without_a_destination(destination: str | None, kind: Any, leads: str) -> None:
    rules = policy(urls={f"{SHOP}leave": UrlRule(kind, destination=destination)})
    rendered = made(link(f"{SHOP}leave"), f"{SHOP}leave", policy=rules).render(1)
    for part in (rendered.html, rendered.text):
        (found,) = links_in(part)
        assert (found.kind, found.destination) == (kind, leads)


def test_a_mail_address_for_leaving_becomes_our_page_by_rule() -> None:
    rules = policy(urls={"mailto:leave@shop.example": UrlRule("optout", destination="")})
    (found,) = links_in(made(link("mailto:leave@shop.example"), policy=rules).render(1).html)
    assert (found.kind, found.destination) == ("optout", "")


@pytest.mark.parametrize(
    ("visible", "url", "shows"),
    [
        ("https://shop.example/x", SHOP, True),
        ("HTTP://elsewhere.example", SHOP, True),
        ("www.elsewhere.example/a b", SHOP, False),
        ("www.elsewhere.example/a", SHOP, True),
        ("shop.example", SHOP, True),
        ("shop.example/sale", "https://www.shop.example/sale", True),
        ("de.shop.example:8080/", SHOP, True),
        ("(shop.example).", SHOP, True),
        ("bücher.example", "https://bücher.example/", True),
        ("elsewhere.example", SHOP, False),
        ("Node.js", "https://nodejs.org/", False),
        ("Visit shop.example today", SHOP, False),
        ("anna@shop.example", SHOP, False),
        ("1.50", SHOP, False),
        ("...", SHOP, False),
        ("", SHOP, False),
    ],
)
def test_what_shows_an_address(visible: str, url: str, shows: bool) -> None:
    assert shows_url(visible, url) is shows


def test_links_that_show_an_address_are_left_and_said() -> None:
    html = link(SHOP, "shop.example") + link(f"{SHOP}b", "<b>shop</b>.example/b") + link(f"{SHOP}c", "Sale")
    template = made(html, SHOP, policy=policy())
    rendered = template.render(1)
    assert (rendered.html or "").startswith(html[: html.index(f'<a href="{SHOP}c')])
    assert [(found.destination, found.position) for found in links_in(rendered.html)] == [(f"{SHOP}c", 3)]
    assert destinations(rendered.text) == [SHOP]
    assert codes(template) == ["shows_url", "shows_url"]


def test_images_show_no_address() -> None:
    assert destinations(made(link(SHOP, '<img alt="shop.example">'), policy=policy()).render(1).html) == [SHOP]


@pytest.mark.parametrize(
    ("options", "hints"),
    [
        ({"visible_urls": "track"}, ""),
        ({"urls": {SHOP: UrlRule("tracked")}}, ""),
        ({"patterns": {"*shop*": UrlRule("always")}}, ""),
        ({}, ' data-st-mode="tracked"'),
        ({}, ' data-st-mode="optout"'),
    ],
)
def test_a_sender_may_ask_for_them(options: dict[str, Any], hints: str) -> None:
    template = made(link(SHOP, "shop.example", hints), policy=policy(**options))
    assert len(links_in(template.render(1).html)) == 1
    assert template.warnings == ()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"pixel_place": "middle"}, "pixel_place"),
        ({"placeholders": "<x>"}, "placeholders"),
        ({"visible_urls": "hide"}, "visible_urls"),
        ({"parameters": {"a=b": "c"}}, "a=b"),
        ({"parameters": {"": "c"}}, "parameters"),
        ({"web_id": "st"}, "web_id_hosts"),
        ({"web_id_hosts": ("a.example",)}, "web_id"),
        ({"web_id": "s t", "web_id_hosts": ("a.example",)}, "s t"),
        ({"web_id": "st", "web_id_hosts": ("https://a.example",)}, "https://a.example"),
        ({"web_id": "st", "web_id_hosts": ("*",)}, "web_id_hosts"),
        ({"unsubscribe_mailto": "leave@a.example"}, "unsubscribe_mailto"),
        ({"unsubscribe_mailto": "mailto:a@b>,<mailto:c@d"}, "unsubscribe_mailto"),
        ({"honeypot": "ftp://a.example"}, "honeypot"),
    ],
)
def test_a_policy_that_can_not_be_names_its_key(options: dict[str, Any], named: str) -> None:
    with pytest.raises(PolicyError, match=named.replace("*", r"\*")):
        Policy(**options)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"mode": "traked"}, "mode"),
        ({"destination": SHOP}, "destination"),
        ({"mode": "optout", "destination": "x"}, "host"),
    ],
)
def test_a_rule_that_can_not_be(options: dict[str, Any], named: str) -> None:
    with pytest.raises(PolicyError, match=named):
        UrlRule(**options)
