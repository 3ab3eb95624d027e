"""Who may report for a site: its registered origins, within the limit, and not those who refused."""

import pytest

from producers.edge.sites import Sites, origin_of_url
from producers.edge.web_limit import MAX_ADDRESSES, WebLimit
from sendtrail.errors import SettingsError
from tests.producers.edge.web_asking import Edge, visit


@pytest.fixture
def edge() -> Edge:
    return Edge()


def test_a_site_must_be_registered(edge: Edge) -> None:
    assert edge.refusal({**visit(), "site": "other"}) == "unknown_site"
    assert edge.refusal({**visit(st=edge.web_id()), "site": "other"}) == "unknown_site"


@pytest.mark.parametrize(
    "origin", [b"https://evil.example", b"http://www.shop.example", b"https://blog.example", b"null", b"x"]
)
def test_a_page_of_another_origin_is_refused(edge: Edge, origin: bytes) -> None:
    assert edge.refusal(visit(), origin=origin) == "foreign_origin"
    assert edge.refusal(visit(st=edge.web_id()), origin=origin) == "foreign_origin"
    assert b"Access-Control" not in edge.post(visit(), origin=b"https://evil.example")[0].headers


def test_the_page_s_address_stands_in_for_its_origin(edge: Edge) -> None:
    assert edge.post(visit(), origin=b"", referer=b"https://www.shop.example/a?b")[1] is not None
    assert edge.post(visit(), origin=b"http://LOCALHOST:8000")[1] is not None
    assert (
        edge.refusal(visit(), origin=b"", referer=b"https://evil.example/https://www.shop.example") == "foreign_origin"
    )


def test_who_says_nothing_of_itself_needs_an_id(edge: Edge) -> None:
    assert edge.refusal(visit(), origin=b"") == "no_origin"
    assert edge.post(visit(st=edge.web_id()), origin=b"")[1] is not None


def test_unsigned_hits_are_limited_per_address(edge: Edge) -> None:
    assert all(edge.post(visit())[1] for _ in range(3))
    assert edge.refusal(visit()) == "too_many"
    assert edge.post(visit(st=edge.web_id()))[1] is not None


def test_the_limit_is_per_minute_and_per_64_bits_of_an_ipv6_address() -> None:
    limit = WebLimit(1)
    assert limit.take("2001:db8::1", 0)
    assert not limit.take("2001:db8::2", 59_999)
    assert limit.take("2001:db8:0:1::1", 59_999)
    assert limit.take("2001:db8::1", 60_000)
    assert limit.take("", 60_000)
    assert not limit.take("", 60_000)
    assert not WebLimit(0).take("192.0.2.1", 0)


def test_a_flood_from_everywhere_takes_no_more_memory() -> None:
    limit = WebLimit(1)
    taken = sum(limit.take(f"a{number}", 0) for number in range(MAX_ADDRESSES + 10))
    assert taken == MAX_ADDRESSES + 1


def test_pages_of_registered_origins_may_ask_across(edge: Edge) -> None:
    reply, _ = edge.ask(b"OPTIONS", "/w", access_control_request_method=b"POST")
    assert reply.status == 204
    assert b"Access-Control-Allow-Origin: https://www.shop.example\r\n" in reply.headers
    assert b"Access-Control-Allow-Headers: content-type\r\n" in reply.headers
    assert b"Access-Control" not in edge.ask(b"OPTIONS", "/w", origin=b"https://evil.example")[0].headers
    assert edge.ask(b"OPTIONS", "/o/x")[0].status == 405
    assert b"Access-Control-Allow-Origin: https://www.shop.example\r\n" in edge.post(visit())[0].headers


def test_who_has_refused_is_not_counted_and_gpc_is_told_nothing_of(edge: Edge) -> None:
    edge = Edge(cookies="session")
    reply, event = edge.post(visit())
    assert b"Set-Cookie: st_visitor=" in reply.headers
    assert event is not None
    assert event.visitor_is_new
    assert edge.refusal(visit(), cookie=b"st_visitor_refused=1") == "refused"
    reply, event = edge.post(visit(), sec_gpc=b"1")
    assert b"Set-Cookie" not in reply.headers
    assert event is not None
    assert (event.visitor, event.hints) == (None, ["gpc"])


def test_origins_have_the_form_browsers_send() -> None:
    assert origin_of_url("HTTPS://Shop.Example:443/a?b#c") == "https://shop.example"
    assert origin_of_url("http://[2001:DB8::1]:8000") == "http://[2001:db8::1]:8000"
    for text in ("", "null", "ftp://a.example", "https://", "https://a b", "https://u@a.example", "//a.example"):
        assert origin_of_url(text) is None


@pytest.mark.parametrize("entry", ["shop", "=https://a.example", "shop=a.example", "s=https://a.example/path", "s=*"])
def test_an_entry_of_another_shape_is_a_settings_error(entry: str) -> None:
    with pytest.raises(SettingsError, match=r"edge\.sites"):
        Sites([entry])
