"""Client, network, class and person of a hit."""

from __future__ import annotations

from typing import Any

import pytest

from sendtrail.events import FLAG_HONEYPOT, FLAG_NO_COOKIE, Event
from streams.items import Findings
from streams.rules import load_rules
from streams.steps.classify import classify
from streams.steps.identify_person import client_key, identify_person
from streams.steps.name_client import client_of, name_client
from streams.steps.place_network import place_network
from tests.streams.making import CHROME, hit, item_of, known_of

RULES = load_rules()
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
APPLE = "Mozilla/5.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"


@pytest.mark.parametrize(
    ("agent", "client"),
    [
        (CHROME, ("Chrome", "120", "Windows", "")),
        (IPHONE, ("Mobile Safari UI/WKWebView", "", "iOS", "iPhone")),
        (GMAIL, ("Gmail image proxy", "", "", "")),
        (YAHOO, ("Yahoo image proxy", "", "", "")),
        (APPLE, ("Apple privacy proxy", "", "", "")),
        ("", ("", "", "", "")),
        ("nobody knows me", ("", "", "", "")),
    ],
)
def test_agents_have_names(agent: str, client: tuple[str, ...]) -> None:
    assert client_of(agent, "open", RULES) == client


def test_a_name_from_an_agent_is_short() -> None:
    assert all(len(part) <= 64 for part in client_of("X" * 2000 + "Bot/" + "1" * 2000, "open", RULES))


def test_feed_events_have_no_client_class_or_person() -> None:
    item = item_of(hit(kind="delivered"))
    for step in (name_client, place_network, classify, identify_person):
        step(item, known_of())
    assert item.found == Findings(source_offset=0, source_index=0)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("10.9.8.7", "private"),
        ("172.31.255.255", "private"),
        ("172.32.0.0", ""),
        ("FD12:3456::1", "private"),
        ("fe80::1", "link local"),
        ("2001:db8::7", "documentation"),
        ("2001:4860::8888", ""),
        ("8.8.8.8", ""),
        ("100.64.0.1", "carrier NAT"),
        ("no address", ""),
        ("10.x", ""),
        ("", ""),
    ],
)
def test_networks_are_known_without_a_database(address: str, network: str) -> None:
    item = item_of(hit(address=address))
    place_network(item, known_of())
    assert item.found.network == network


def test_a_proxy_says_nothing_about_the_network_of_the_reader() -> None:
    item = item_of(hit(user_agent=GMAIL, address="10.0.0.1"))
    name_client(item, known_of())
    place_network(item, known_of())
    assert item.found.network == ""


def verdict(**fields: Any) -> tuple[str, tuple[str, ...]]:
    item = item_of(hit(**fields))
    classify(item, known_of())
    assert item.found.class_ruleset == RULES.version
    return item.found.class_, item.found.class_reasons


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("human", ())),
        ({"user_agent": ""}, ("unknown", ("no_agent",))),
        ({"user_agent": GMAIL}, ("unknown", ("image_proxy",))),
        ({"user_agent": YAHOO}, ("unknown", ("image_proxy",))),
        ({"user_agent": APPLE}, ("machine", ("privacy_prefetch",))),
        ({"user_agent": APPLE, "kind": "click"}, ("unknown", ("unknown_agent",))),
        (
            {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
            ("machine", ("known_bot",)),
        ),
        ({"user_agent": "Barracuda Sentinel (EE)"}, ("machine", ("security_scanner",))),
        ({"user_agent": "curl/8.5.0"}, ("machine", ("http_library",))),
        ({"user_agent": "Mozilla/5.0 (Linux; Android 9; CUBOT X19) Chrome/90.0 Mobile"}, ("human", ())),
        ({"hints": ["head"]}, ("machine", ("head",))),
        ({"hints": ["gpc", "prefetch"]}, ("machine", ("prefetch",))),
        ({"hints": ["gpc", "proxy"]}, ("human", ())),
        ({"provider_hints": ["sg_machine_open"]}, ("machine", ("provider",))),
        (
            {"provider_hints": ["user_agent_parsed.is_proxy", "user_agent_parsed.is_prefetched"]},
            ("machine", ("provider",)),
        ),
        ({"provider_hints": ["client-info.bot=gmail"]}, ("unknown", ("image_proxy",))),
        ({"flags": FLAG_HONEYPOT, "user_agent": "curl/8.5.0"}, ("machine", ("honeypot", "http_library"))),
        ({"kind": "optout", "how": "one_click", "user_agent": "curl/8.5.0"}, ("human", ("confirmed",))),
        ({"kind": "optout", "how": "form", "flags": FLAG_HONEYPOT}, ("human", ("confirmed",))),
        ({"kind": "optout", "how": "view", "user_agent": "curl/8.5.0"}, ("machine", ("http_library",))),
    ],
)
def test_classes_and_their_reasons(fields: dict[str, Any], expected: tuple[str, tuple[str, ...]]) -> None:
    assert verdict(**fields) == expected


def person(event: Event, cookies: bool = False) -> str:
    item = item_of(event)
    identify_person(item, known_of(visitor_cookies=cookies))
    return item.found.person


VISITOR = "0123456789abcdef" * 2


def test_without_cookies_a_person_is_the_message() -> None:
    assert person(hit(visitor=VISITOR)) == f"{7:016x}{8:016x}"
    assert person(hit(delivery=2**64 - 1, message=2**63)) == "f" * 16 + "8" + "0" * 15


def test_with_cookies_a_person_is_the_visitor_who_allows_it() -> None:
    assert person(hit(visitor=VISITOR), cookies=True) == VISITOR
    message = person(hit())
    assert person(hit(visitor=VISITOR, hints=["gpc"]), cookies=True) == message
    assert person(hit(visitor=VISITOR, flags=FLAG_NO_COOKIE), cookies=True) == message
    assert person(hit(), cookies=True) == message


def test_a_visit_without_a_message_is_of_its_visitor_or_client() -> None:
    visit = hit(kind="web", delivery=0, message=0, site="shop", visitor=VISITOR)
    assert person(visit) == VISITOR
    visit.visitor = None
    assert len(person(visit)) == 32
    assert person(visit) != person(hit(kind="web", delivery=0, message=0, site="shop", address="192.0.2.2"))


def test_a_client_is_the_visitor_it_sent_else_its_agent_and_address() -> None:
    assert client_key(hit(visitor=VISITOR)) == bytes.fromhex(VISITOR)
    fresh = hit(visitor=VISITOR, visitor_is_new=True)
    assert client_key(fresh) == client_key(hit())
    assert client_key(hit(address="192.0.2.2")) != client_key(hit())
    assert client_key(hit(user_agent="x")) != client_key(hit())
