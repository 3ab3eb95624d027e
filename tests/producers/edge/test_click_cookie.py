"""The cookie of the last click, from the redirect to the visit."""

import re
from typing import Any

import pytest

from producers.edge.collect import collect
from producers.edge.known import Known, known_of
from producers.edge.replies import Reply
from producers.edge.request import Request
from sendtrail.events import FLAG_NO_COOKIE, Event
from sendtrail.keyring import Keyring, new_keyring
from sendtrail.links import Link, mint, url_of
from sendtrail.settings import Config

NOW = 1_700_000_000_123
KEYS = new_keyring()
VISIT = b'{"site": "shop", "page": "/basket"}'


def edge(keys: Keyring = KEYS, visitor_cookies: str = "session", **cookie: Any) -> Known:
    tables: dict[str, dict[str, Any]] = {
        "edge": {"sites": ["shop=https://shop.example"]},
        "tracking": {"visitor_cookies": visitor_cookies},
        "cookie": {"click_days": 30, **cookie},
    }
    return known_of(keys, Config(tables))


def click(known: Known, message: int = 7, method: bytes = b"GET", flags: int = 0, **headers: bytes) -> Reply:
    link = Link("click", 17, message, 99, 4, 5, "https://shop.example/", flags)
    named = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    request = Request(method, url_of("", "click", mint(KEYS.active, link)), "192.0.2.1", named)
    reply, _ = collect(request, known, NOW, bytes)
    assert reply.status == 302
    return reply


def visit(known: Known, body: bytes = VISIT, **headers: bytes) -> Event:
    named = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    request = Request(b"POST", "/w", "192.0.2.1", {b"origin": b"https://shop.example", **named}, body)
    _, event = collect(request, known, NOW, bytes)
    assert event is not None
    return event


def offered(reply: Reply) -> dict[str, str]:
    """Name -> the rest of each cookie that an answer sets."""
    return dict(re.findall(r"^Set-Cookie: ([^=]+)=(.*?)\r$", reply.headers.decode(), re.MULTILINE))


def test_a_visit_is_due_to_the_click_before_it() -> None:
    known = edge()
    first, last = (offered(click(known, message))["st_visitor_click"] for message in (7, 8))
    assert first.endswith("; Max-Age=2592000; Path=/w; SameSite=Lax; Secure; HttpOnly")
    token = last.partition(";")[0]
    event = visit(known, cookie=f"a=b; st_visitor_click={token}; st_visitor={'ab' * 16}".encode())
    assert (event.delivery, event.message, event.recipient, event.hints) == (17, 8, 99, [])
    assert (event.visitor, event.visitor_is_new) == ("ab" * 16, False)


def test_the_id_in_the_page_s_address_goes_before_it() -> None:
    known = edge()
    cookie = offered(click(known))["st_visitor_click"].partition(";")[0]
    here = mint(KEYS.active, Link("web", 18, 9, 99))
    body = b'{"site": "shop", "st": "%s"}' % here.encode()
    assert visit(known, body, cookie=b"st_visitor_click=" + cookie.encode()).delivery == 18
    assert visit(known, body[:-3] + b'"}', cookie=b"st_visitor_click=" + cookie.encode()).delivery == 17


def test_it_is_neither_set_nor_read_against_somebody_s_will() -> None:
    known = edge()
    token = offered(click(known))["st_visitor_click"].partition(";")[0].encode()
    for reply in (
        click(known, sec_gpc=b"1"),
        click(known, cookie=b"st_visitor_refused=1"),
        click(known, flags=FLAG_NO_COOKIE),
        click(known, method=b"HEAD"),
        click(known, sec_purpose=b"prefetch"),
    ):
        assert "st_visitor_click" not in offered(reply)
    assert visit(known, cookie=b"st_visitor_click=" + token, sec_gpc=b"1").delivery == 0


@pytest.mark.parametrize("known", [edge(visitor_cookies="off"), edge(click_days=0)])
def test_it_is_off_unless_it_is_asked_for(known: Known) -> None:
    assert "st_visitor_click" not in offered(click(known))
    token = mint(KEYS.active, Link("web", 17, 7, 99)).encode()
    assert visit(known, cookie=b"st_visitor_click=" + token).delivery == 0


def test_without_a_key_that_mints_links_still_lead_on() -> None:
    assert "st_visitor_click" not in offered(click(edge(KEYS.with_state(KEYS.active.key_id, "retired"))))


@pytest.mark.parametrize("sent", [b"", b"st_visitor_click=", b"st_visitor_click=a b", b"xst_visitor_click=abc"])
def test_a_cookie_that_is_no_token_is_none(sent: bytes) -> None:
    event = visit(edge(), cookie=sent)
    assert (event.delivery, event.hints) == (0, [])
