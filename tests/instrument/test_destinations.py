"""What is added to a destination: parameters of the sender's, and the recipient's signed id."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.gateways import resolve
from sendtrail.instrument import Policy, UrlRule
from sendtrail.instrument.destinations import host_of, is_among, with_parameters
from sendtrail.links import ReadLink, read_token
from sendtrail.naming import key
from tests.instrument.making import KEYRING, codes, destinations, links_in, made

UTM = {"utm_source": "news letter", "utm_medium": "e&mail"}
ADDED = "utm_source=news%20letter&utm_medium=e%26mail"


@pytest.mark.parametrize(
    ("url", "longer"),
    [
        ("https://a.example", f"https://a.example?{ADDED}"),
        ("https://a.example/", f"https://a.example/?{ADDED}"),
        ("https://a.example/?", f"https://a.example/?{ADDED}"),
        ("https://a.example/?b=1", f"https://a.example/?b=1&{ADDED}"),
        ("https://a.example/?b=1&", f"https://a.example/?b=1&{ADDED}"),
        ("https://a.example/?b#c", f"https://a.example/?b&{ADDED}#c"),
        ("https://a.example/#/route?utm_source=x", f"https://a.example/?{ADDED}#/route?utm_source=x"),
        ("https://a.example/?utm_source=x", "https://a.example/?utm_source=x&utm_medium=e%26mail"),
        ("https://a.example/?utm%5Fsource=x&utm_medium", "https://a.example/?utm%5Fsource=x&utm_medium"),
        ("https://a.example/?q=%20+&q=ü", f"https://a.example/?q=%20+&q=ü&{ADDED}"),
    ],
)
def test_parameters_are_added_and_nothing_else_is_touched(url: str, longer: str) -> None:
    assert with_parameters(url, UTM) == longer
    template = made(f'<a href="{url}">x</a>', policy=Policy(parameters=UTM))
    assert destinations(template.render(1).html) == [longer]
    assert template.urls[0].url == url


names = st.text(alphabet="abü _%", min_size=1, max_size=4).map(str.strip).filter(bool)
queries = st.text(alphabet="ab=&%20;+?/", max_size=12)


@given(queries, st.text(alphabet="ab#?/&=", max_size=6), st.dictionaries(names, st.text(max_size=6), max_size=3))
def test_what_was_there_stays_and_what_was_missing_is_there(query: str, rest: str, parameters: dict[str, str]) -> None:
    url = f"https://a.example/p?{query}#{rest}"
    before, after = urlsplit(url), urlsplit(with_parameters(url, parameters))
    assert (after.netloc, after.path, after.fragment) == (before.netloc, before.path, before.fragment)
    assert after.query.startswith(before.query)
    own = parse_qsl(before.query, keep_blank_values=True)
    present = {name for name, _ in own}
    wanted = [
        (name, value.encode("utf-8", "replace").decode()) for name, value in parameters.items() if name not in present
    ]
    if not any(char in "\ud800\udfff" for value in parameters.values() for char in value):
        assert parse_qsl(after.query, keep_blank_values=True) == own + wanted


def test_parameters_with_placeholders() -> None:
    policy = Policy(placeholders="{{x}}", parameters={"utm_content": "{{segment}} & more", "utm_id": "{{id}}"})
    template = made('<a href="https://a.example/{{p}}?utm_id=7#f">x</a>', policy=policy)
    rendered = template.render(1, values={"segment": "a/b", "p": "q"})
    assert destinations(rendered.html) == ["https://a.example/q?utm_id=7&utm_content=a%2Fb%20%26%20more#f"]
    assert template.placeholders == ("p", "segment")


def test_links_that_get_no_parameters() -> None:
    rules = {"https://a.example/signed": UrlRule(parameters=False), "https://a.example/n": UrlRule("never")}
    policy = Policy(parameters=UTM, urls=rules)
    modes = {"signed": "tracked", "out": "optout", "copy": "mirror"}
    html = "".join(f'<a href="https://a.example/{name}" data-st-mode="{mode}">x</a>' for name, mode in modes.items())
    html += '<a href="https://a.example/n">x</a>'
    rendered = made(html, policy=policy).render(1)
    assert destinations(rendered.html) == [f"https://a.example/{name}" for name in ("signed", "out", "copy")]
    assert "https://a.example/n" in (rendered.html or "")


def test_a_link_that_parameters_make_too_long_is_left() -> None:
    url = f"https://a.example/{'x' * 8160}"
    template = made(f'<a href="{url}">x</a>', policy=Policy(parameters=UTM, pixel=False))
    assert template.render(1).html == f'<a href="{url}">x</a>'
    assert codes(template) == ["bad_destination"]


@pytest.mark.parametrize("url", ["https://a.example>x</a> <a href=", "https://a.ex|ample/", "https://<b>/?a=b"])
def test_a_host_that_no_browser_opens_is_said(url: str) -> None:
    template = made(f'<a href="{url}">x</a>', policy=Policy(pixel=False))
    assert template.render(1).html == f'<a href="{url}">x</a>'
    assert codes(template) == ["bad_destination"]


@pytest.mark.parametrize(
    ("host", "hosts", "among"),
    [
        ("shop.example", ["shop.example"], True),
        ("shop.example", ["SHOP.example"], True),
        ("www.shop.example", ["shop.example"], False),
        ("www.shop.example", ["*.shop.example"], True),
        ("shop.example", ["*.shop.example"], False),
        ("evilshop.example", ["*.shop.example", "shop.example"], False),
        ("", ["*.example"], False),
    ],
)
def test_hosts(host: str, hosts: list[str], among: bool) -> None:
    assert is_among(host, hosts) is among


def test_hosts_of_urls() -> None:
    assert [host_of(url) for url in ("https://U@Shop.example:8/", "https://[::1", "x")] == ["shop.example", "", ""]


WEB_ID = Policy(web_id="st", web_id_hosts=("shop.example", "*.shop.example"), placeholders="{{x}}", pixel=False)


def test_the_signed_id_goes_to_named_hosts_only() -> None:
    urls = ["https://shop.example/?a=1#f", "https://www.shop.example/{{p}}", "https://other.example/"]
    rendered = made("".join(f'<a href="{url}">x</a>' for url in urls), urls[0], policy=WEB_ID).render(
        7, "anna", values={"p": "q"}
    )
    first, second, third = destinations(rendered.html)
    token = first.removeprefix("https://shop.example/?a=1&st=").removesuffix("#f")
    assert second == f"https://www.shop.example/q?st={token}"
    assert third == "https://other.example/"
    assert destinations(rendered.text) == [first]
    read = read_token(KEYRING, token)
    assert isinstance(read, ReadLink)
    naming = KEYRING.naming_key
    assert (read.link.kind, read.link.delivery, read.link.message, read.link.recipient) == (
        "web", key(naming, "", "delivery", "spring"), 7, key(naming, "", "recipient", "anna"),
    )  # fmt: skip
    assert isinstance(resolve(KEYRING, f"/w/{token}"), ReadLink)


def test_a_parameter_of_that_name_stays_the_sites() -> None:
    template = made('<a href="https://shop.example/?st=mine">x</a>', policy=WEB_ID)
    assert destinations(template.render(1).html) == ["https://shop.example/?st=mine"]
    assert codes(template) == ["parameter_taken"]


def test_the_signed_id_says_seed_and_counts_for_no_one_without_consent() -> None:
    template = made('<a href="https://shop.example/">x</a>', policy=WEB_ID)
    (link,) = links_in(template.render(1, seed=True).html)
    read = read_token(KEYRING, link.destination.partition("st=")[2])
    assert isinstance(read, ReadLink)
    assert read.link.flags & 1
    assert template.render(1, consent=False).html == '<a href="https://shop.example/">x</a>'
