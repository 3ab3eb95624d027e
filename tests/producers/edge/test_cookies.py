"""The visitor cookie: who gets one, which are believed, and whom reports tell apart by them."""

from http.cookies import SimpleCookie
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.edge.collect import collect
from producers.edge.cookies import policy_of
from producers.edge.known import known_of
from producers.edge.random_pool import RandomPool
from producers.edge.request import Request
from sendtrail.errors import SettingsError
from sendtrail.events import FLAG_NO_COOKIE, Event, decode, encode
from sendtrail.keyring import new_keyring
from sendtrail.links import Link, LinkKind, mint, url_of
from sendtrail.settings import Config, CookieSettings
from streams.steps.identify_person import client_key, identify_person
from tests.streams.making import item_of
from tests.streams.making import known_of as known_to_steps

NOW = 1_790_000_000_000
KEYS = new_keyring()
VISITOR = "0123456789abcdef" * 2


def edge(kept: str = "persistent", **cookie: Any) -> Any:
    known = known_of(KEYS, Config({"tracking": {"visitor_cookies": kept}, "cookie": cookie}))
    pool = RandomPool()
    return lambda request: collect(request, known, NOW, pool.take)


def request(
    kind: LinkKind = "click", cookie: str | bytes = b"", message: int = 2, flags: int = 0, **headers: bytes
) -> Request:
    destination = "https://example.com/" if kind == "click" else ""
    token = mint(KEYS.active, Link(kind, 1, message, message, 5, 1, destination, flags))
    named = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    if cookie:
        named[b"cookie"] = cookie.encode() if isinstance(cookie, str) else cookie
    return Request(b"GET", url_of("", kind, token), "192.0.2.1", named)


def cookies_set(headers: bytes) -> list[str]:
    return [line[12:] for line in headers.decode().split("\r\n") if line.startswith("Set-Cookie: ")]


# What is set


@pytest.mark.parametrize("kind", ["open", "click", "optout"])
def test_a_first_hit_is_offered_a_fresh_id_and_stores_it(kind: LinkKind) -> None:
    answer = edge()
    (reply, event), (_, other) = answer(request(kind)), answer(request(kind))
    assert event.visitor_is_new
    (offered,) = cookies_set(reply.headers)
    assert offered == f"st_visitor={event.visitor}; Max-Age=31536000; Path=/; SameSite=Lax; Secure; HttpOnly"
    assert event.visitor != other.visitor
    assert decode(encode(event)) == event
    assert not reply.constant


def test_an_id_that_comes_back_is_stored_and_not_offered_again() -> None:
    reply, event = edge()(request(cookie=f"a=b; st_visitor={VISITOR}; c=d"))
    assert (event.visitor, event.visitor_is_new, cookies_set(reply.headers)) == (VISITOR, False, [])


def test_by_default_there_are_no_cookies() -> None:
    reply, event = collect(request(cookie=f"st_visitor={VISITOR}"), known_of(KEYS, Config({})), NOW, bytes)
    assert event is not None
    assert (event.visitor, cookies_set(reply.headers)) == (None, [])
    assert policy_of("off", CookieSettings()) is None


@pytest.mark.parametrize(
    ("kept", "settings", "expected"),
    [
        ("session", {}, "; Path=/; SameSite=Lax; Secure; HttpOnly"),
        ("persistent", {"age_days": 2}, "; Max-Age=172800; Path=/; SameSite=Lax; Secure; HttpOnly"),
        ("session", {"domain": "a.example"}, "; Path=/; Domain=a.example; SameSite=Lax; Secure; HttpOnly"),
        ("session", {"same_site": "none"}, "; Path=/; SameSite=None; Secure; HttpOnly"),
        ("session", {"same_site": "strict", "secure": False}, "; Path=/; SameSite=Strict; HttpOnly"),
    ],
)  # fmt: skip
def test_what_the_settings_make_of_it(kept: str, settings: dict[str, Any], expected: str) -> None:
    reply, event = edge(kept, name="who%s", **settings)(request())
    assert cookies_set(reply.headers) == [f"who%s={event.visitor}{expected}"]
    assert edge(kept, name="who%s", **settings)(request(cookie=f"who%s={VISITOR}"))[1].visitor == VISITOR


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"name": "a b"}, "cookie.name"),
        ({"name": ""}, "cookie.name"),
        ({"name": "a;b"}, "cookie.name"),
        ({"domain": "localhost"}, "cookie.domain"),
        ({"domain": "a.example; Path=/x"}, "cookie.domain"),
        ({"domain": "192.0.2.1"}, "cookie.domain"),
        ({"age_days": 401}, "cookie.age_days"),
        ({"same_site": "none", "secure": False}, "cookie.secure"),
        ({"name": "__Host-v", "domain": "a.example"}, "__Host-"),
        ({"name": "__Host-v", "click_days": 30}, "__Host-"),
        ({"name": "__Secure-v", "secure": False}, "__Secure-"),
    ],
)
def test_a_cookie_browsers_would_drop_is_a_settings_error(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        edge(**settings)


# Who is left alone


@pytest.mark.parametrize(
    "asked",
    [
        request(sec_gpc=b"1"),
        request(sec_gpc=b"1", cookie=f"st_visitor={VISITOR}"),
        request(cookie=f"st_visitor={VISITOR}; st_visitor_refused=1"),
        request(cookie="st_visitor_refused=1"),
        request(flags=FLAG_NO_COOKIE),
        request(flags=FLAG_NO_COOKIE, cookie=f"st_visitor={VISITOR}"),
    ],
)
def test_who_does_not_want_one_gets_none_and_none_is_stored(asked: Request) -> None:
    reply, event = edge()(asked)
    assert (event.visitor, event.visitor_is_new, cookies_set(reply.headers)) == (None, False, [])
    item = item_of(event)
    identify_person(item, known_to_steps(visitor_cookies=True))
    assert item.found.person == f"{1:016x}{2:016x}"


@pytest.mark.parametrize(
    "sent",
    [
        f"st_visitor={VISITOR.upper()}", f"st_visitor={VISITOR}0", f"st_visitor={VISITOR[1:]}",
        f'st_visitor="{VISITOR}"', f"xst_visitor={VISITOR}", f"st_visitor ={VISITOR}", f"ST_VISITOR={VISITOR}",
        f"st_visitor={VISITOR} x", "st_visitor=", "st_visitor_refused=0", "st_visitor=" + "g" * 32,
        "st_visitor=" + "٣" * 32,
    ],
)  # fmt: skip
def test_another_form_is_no_id(sent: str) -> None:
    _, event = edge()(request(cookie=sent))
    assert event.visitor_is_new
    assert event.visitor != VISITOR


def test_two_cookie_headers_joined_by_the_adapter() -> None:
    assert edge()(request(cookie=f"a=b,st_visitor={VISITOR}"))[1].visitor == VISITOR


@given(st.binary(max_size=300), st.sampled_from([b"", b"st_visitor=", b"; st_visitor_refused="]))
def test_any_cookie_header_gives_an_event_that_streams_take(sent: bytes, before: bytes) -> None:
    _, event = edge()(request(cookie=before + sent))
    assert decode(encode(event)) == event


# METRICS, worked example


class Browser:
    """Keeps cookies as a browser does, or refuses them."""

    def __init__(self, answer: Any, keeps: bool = True) -> None:
        self._answer, self._keeps, self._jar = answer, keeps, SimpleCookie()
        self.events: list[Event] = []

    def ask(self, kind: LinkKind, message: int, times: int = 1) -> None:
        for _ in range(times):
            sent = "; ".join(f"{name}={morsel.value}" for name, morsel in self._jar.items())
            reply, event = self._answer(request(kind, sent, message=message))
            self.events.append(event)
            for line in cookies_set(reply.headers) if self._keeps else ():
                self._jar.load(line)


def _figures(kept: str) -> dict[str, int]:
    answer = edge(kept)
    b, c, friend, d = Browser(answer), Browser(answer), Browser(answer), Browser(answer, keeps=False)
    b.ask("open", 2)
    c.ask("open", 3)
    c.ask("click", 3, 9)
    friend.ask("open", 3)
    friend.ask("click", 3, 2)
    d.ask("open", 4)
    d.ask("click", 4, 4)
    events = [event for browser in (b, c, friend, d) for event in browser.events]
    clicks = [item_of(event) for event in events if event.kind == "click"]
    for item in clicks:
        identify_person(item, known_to_steps(visitor_cookies=kept != "off"))
    person_click = len({item.found.person for item in clicks})
    recipient_click = len({item.event.message for item in clicks})
    return {
        "recipient_open": len({event.message for event in events}),
        "total_open": sum(event.kind == "open" for event in events),
        "recipient_click": recipient_click,
        "total_click": len(clicks),
        "person_click": person_click,
        "forwards": max(person_click - recipient_click, 0),
    }


@pytest.mark.parametrize(
    ("kept", "persons", "forwards"), [("persistent", 6, 4), ("session", 6, 4), ("off", 2, 0)]
)  # fmt: skip
def test_the_worked_example(kept: str, persons: int, forwards: int) -> None:
    assert _figures(kept) == {
        "recipient_open": 3, "total_open": 4, "recipient_click": 2, "total_click": 15, "person_click": persons,
        "forwards": forwards,
    }  # fmt: skip


def test_a_client_is_the_id_that_was_sent_not_the_one_that_is_offered() -> None:
    answer = edge()
    fresh, known = answer(request())[1], answer(request(cookie=f"st_visitor={VISITOR}"))[1]
    assert client_key(known) == bytes.fromhex(VISITOR)
    assert client_key(fresh) == client_key(answer(request())[1])
