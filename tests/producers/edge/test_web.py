"""What the web tag's hits become, without a socket: attribution, origins, limits, strict values."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.edge import tag
from producers.edge.collect import collect
from producers.edge.known import Known, known_of
from producers.edge.replies import GIF, Reply
from producers.edge.request import Request
from producers.edge.sites import Sites, origin_of_url
from producers.edge.web_fields import kept_url
from producers.edge.web_limit import MAX_ADDRESSES, WebLimit
from sendtrail.errors import SettingsError
from sendtrail.events import FLAG_SEED, Event, decode, encode
from sendtrail.ids import transaction_id
from sendtrail.keyring import Keyring, new_keyring
from sendtrail.links import Link, mint
from sendtrail.metrics import METRICS
from sendtrail.settings import Config

NOW = 1_700_000_000_123
SHOP = b"https://www.shop.example"
SITES = ["shop=https://www.shop.example", "shop=http://localhost:8000", "blog=https://blog.example"]
REASONS = METRICS["sendtrail_edge_bad_web_hits_total"].values["reason"]


@dataclass
class Edge:
    """Keys, sites, and a way to ask."""

    keyring: Keyring = field(default_factory=new_keyring)
    cookies: str = "off"
    per_minute: int = 3

    def __post_init__(self) -> None:
        settings = {"sites": SITES, "unsigned_per_minute": self.per_minute}
        config = Config({"edge": settings, "tracking": {"visitor_cookies": self.cookies}})
        self.known: Known = known_of(self.keyring, config)

    def web_id(self, **fields: Any) -> str:
        return mint(self.keyring.active, Link("web", 17, 7, **{"recipient": 99, **fields}))

    def ask(self, method: bytes, target: str, body: bytes = b"", **headers: bytes) -> tuple[Reply, Event | None]:
        named = {b"origin": SHOP, **{name.replace("_", "-").encode(): value for name, value in headers.items()}}
        request = Request(method, target, "192.0.2.1", {name: value for name, value in named.items() if value}, body)
        return collect(request, self.known, NOW, bytes)

    def post(self, fields: object, **headers: bytes) -> tuple[Reply, Event | None]:
        return self.ask(b"POST", "/w", json.dumps(fields).encode(), **headers)

    def refusal(self, fields: object, **headers: bytes) -> str:
        reply, event = self.post(fields, **headers)
        assert (reply.status, reply.body, event) == (204, b"", None)
        assert reply.reason in REASONS
        return reply.reason


@pytest.fixture
def edge() -> Edge:
    return Edge()


def visit(**more: Any) -> dict[str, Any]:
    return {"site": "shop", "page": "https://www.shop.example/basket", **more}


def order(**more: Any) -> dict[str, Any]:
    return visit(order="A-1", amount=1999, currency="EUR", articles=2, **more)


def test_a_signed_visit_is_a_message_s(edge: Edge) -> None:
    reply, event = edge.post(
        visit(st=edge.web_id(flags=FLAG_SEED), referrer="https://mail.example/"), user_agent=b"Agent/1"
    )
    assert (reply.status, reply.reason) == (204, "")
    assert event is not None
    assert event == Event(
        version=1, event_id=event.event_id, kind="web", event_time_ms=NOW, source="edge", delivery=17, message=7,
        recipient=99, flags=FLAG_SEED, user_agent="Agent/1", address="192.0.2.1", referrer="https://mail.example/",
        site="shop", page="https://www.shop.example/basket",
    )  # fmt: skip
    assert decode(encode(event)) == event


def test_an_order_has_its_amount_and_the_id_of_its_order(edge: Edge) -> None:
    fields = order(st=edge.web_id(), extra={"voucher": "MAY", "items": 2})
    first, again = edge.post(fields)[1], edge.post(fields)[1]
    assert first is not None
    assert again is not None
    assert first.event_id == again.event_id == transaction_id("", "shop", "A-1")
    assert (first.kind, first.order_id, first.amount, first.currency, first.articles) == (
        "transaction", "A-1", 1999, "EUR", 2,
    )  # fmt: skip
    assert first.attributes == {"voucher": "MAY", "items": "2"}
    assert (first.delivery, first.message, first.recipient) == (17, 7, 99)
    assert decode(encode(first)) == first


def test_without_an_id_a_hit_is_nobody_s(edge: Edge) -> None:
    _, event = edge.post(visit())
    assert event is not None
    assert (event.delivery, event.message, event.recipient, event.hints) == (0, 0, None, [])


@pytest.mark.parametrize("damage", [lambda token: token[:-1], lambda token: "A" * 51, lambda token: "?"])
def test_an_id_that_does_not_prove_is_none(edge: Edge, damage: Any) -> None:
    _, event = edge.post(visit(st=damage(edge.web_id())))
    assert event is not None
    assert (event.delivery, event.hints) == (0, ["bad_id"])


def test_only_a_web_id_is_one_and_a_revoked_key_proves_none(edge: Edge) -> None:
    pixel = mint(edge.keyring.active, Link("open", 17, 7, 99))
    signed = edge.web_id()
    _, event = edge.post(visit(st=pixel))
    assert event is not None
    assert event.delivery == 0
    revoked = edge.keyring.with_state(edge.keyring.active.key_id, "revoked")
    edge.known = msgspec.structs.replace(edge.known, keyring=revoked)
    _, event = edge.post(visit(st=signed))
    assert event is not None
    assert event.delivery == 0


# Who may report for a site


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


# Values


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ([], "undecodable"),
        ({}, "bad_site"),
        ({"site": ""}, "bad_site"),
        ({"site": 7}, "bad_site"),
        (visit(st=["x"]), "bad_st"),
        (visit(page="javascript:alert(1)"), "bad_page"),
        ({"site": "shop", "page": "https://a b"}, "bad_page"),
        (visit(referrer=1), "bad_referrer"),
        ({**order(), "order": ""}, "bad_order"),
        ({**order(), "order": "a\n"}, "bad_order"),
        ({**order(), "order": "a" * 129}, "bad_order"),
        ({**order(), "amount": 19.99}, "bad_amount"),
        ({**order(), "amount": "1999"}, "bad_amount"),
        ({**order(), "amount": True}, "bad_amount"),
        ({**order(), "amount": -1}, "bad_amount"),
        ({**order(), "amount": 10**12 + 1}, "bad_amount"),
        ({**order(), "amount": 10**30}, "bad_amount"),
        ({**order(), "amount": None}, "bad_amount"),
        ({**order(), "currency": "eur"}, "bad_currency"),
        ({**order(), "currency": "EURO"}, "bad_currency"),
        ({**order(), "currency": "€€€"}, "bad_currency"),
        ({**order(), "currency": None}, "bad_currency"),
        ({**order(), "articles": -1}, "bad_articles"),
        ({**order(), "articles": 10**6 + 1}, "bad_articles"),
        ({**order(), "articles": 1.5}, "bad_articles"),
        (visit(extra={str(number): 1 for number in range(9)}), "bad_extra"),
        (visit(extra={"": 1}), "bad_extra"),
        (visit(extra={"a": "b" * 257}), "bad_extra"),
        (visit(extra={"a": {"b": 1}}), "bad_extra"),
        (visit(extra={"a": 10**400}), "bad_extra"),
        (visit(extra={"a\0": 1}), "bad_extra"),
    ],
)
def test_a_value_out_of_place_is_refused_with_its_reason(edge: Edge, fields: object, reason: str) -> None:
    assert edge.refusal(fields) == reason


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"site":"\\ud800"}', b"[" * 5000, b'{"site":' + b"9" * 5000])
def test_a_body_that_is_no_json_is_refused(edge: Edge, body: bytes) -> None:
    reply, event = edge.ask(b"POST", "/w", body)
    assert (reply.status, event) == (204, None)
    assert reply.reason in ("undecodable", "bad_site")


def test_the_signed_id_is_taken_out_of_addresses() -> None:
    signed = mint(new_keyring().active, Link("web", 17, 7))
    assert kept_url(f"https://a.example/?x=1&st={signed}&y=2#z") == "https://a.example/?x=1&y=2#z"
    assert kept_url(f"https://a.example/?st={signed}") == "https://a.example/"
    assert kept_url(f"https://a.example/?st={signed}#z") == "https://a.example/#z"
    for own in ("/?first=1", "/?st=CA&x", "/?st=", f"/?first={signed}", f"/{signed}"):
        assert kept_url(own) == own
    assert len(kept_url("/" + "a" * 5000)) == 2048


# The pixel


def test_the_pixel_takes_the_same_object_or_plain_parameters(edge: Edge) -> None:
    fields = order(st=edge.web_id())
    whole = edge.ask(b"GET", "/w?hit=" + quote(json.dumps(fields)))
    plain = edge.ask(b"GET", "/w?" + urlencode(fields))
    for reply, event in (whole, plain):
        assert (reply.status, reply.body, reply.reason) == (200, GIF, "")
        assert event == edge.post(fields)[1]


def test_a_pixel_without_a_page_is_on_its_own(edge: Edge) -> None:
    _, event = edge.ask(
        b"GET", "/w?site=shop", origin=b"", referer=f"https://www.shop.example/a?st={edge.web_id()}&b=1".encode()
    )
    assert event is not None
    assert event.page == "https://www.shop.example/a"
    assert event.referrer == ""


@pytest.mark.parametrize("page", ["/a?mail=ana@example.com", "/a#ana", "/a?", "https://www.shop.example/a?x#y"])
def test_of_a_page_nothing_is_kept_behind_its_path(edge: Edge, page: str) -> None:
    _, event = edge.post(visit(page=page))
    assert event is not None
    assert event.page == page.partition("?")[0].partition("#")[0]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", "bad_site"),
        ("site=shop&amount=1e3&order=1&currency=EUR", "bad_amount"),
        ("site=shop&articles=%C2%B2&order=1&amount=1&currency=EUR", "bad_articles"),
        ("site=other", "unknown_site"),
        ("&" * 50 + "site=shop", "undecodable"),
        ("hit={", "undecodable"),
    ],
)
def test_a_bad_pixel_is_a_pixel(edge: Edge, query: str, reason: str) -> None:
    reply, event = edge.ask(b"GET", "/w?" + query)
    assert (reply.status, reply.body, event) == (200, GIF, None)
    assert reply.reason == reason


def test_a_link_inside_an_address_of_a_page_is_not_followed(edge: Edge) -> None:
    click = "/c/" + mint(edge.keyring.active, Link("click", 1, 2, 3, destination="https://x.example/"))
    reply, event = edge.ask(b"GET", f"/w?site=shop&page={click}&referrer={click}")
    assert reply.status == 200
    assert event is not None
    assert event.kind == "web"


# Browsers' questions, people's wishes


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


# The script


def test_the_script_is_small_and_kept_by_browsers(edge: Edge) -> None:
    reply, event = edge.ask(b"GET", "/st.js?v=1")
    assert (reply.status, event, reply.body) == (200, None, tag.SCRIPT)
    assert len(reply.body) < 2048
    assert b"max-age=86400" in reply.caching
    reply, _ = edge.ask(b"GET", "/st.js", if_none_match=b"W/" + tag.ETAG)
    assert (reply.status, reply.body) == (304, b"")
    assert edge.ask(b"GET", "/st.js", if_none_match=b'"other"')[0].status == 200


def test_texts_of_the_script_are_served_as_they_are() -> None:
    source = '  // why\n  const a = "b =  c"  + `d ( e )`\n'
    assert tag.served(source) == b'const a="b =  c"+`d ( e )`'


# The setting


def test_origins_have_the_form_browsers_send() -> None:
    assert origin_of_url("HTTPS://Shop.Example:443/a?b#c") == "https://shop.example"
    assert origin_of_url("http://[2001:DB8::1]:8000") == "http://[2001:db8::1]:8000"
    for text in ("", "null", "ftp://a.example", "https://", "https://a b", "https://u@a.example", "//a.example"):
        assert origin_of_url(text) is None


@pytest.mark.parametrize("entry", ["shop", "=https://a.example", "shop=a.example", "s=https://a.example/path", "s=*"])
def test_an_entry_of_another_shape_is_a_settings_error(entry: str) -> None:
    with pytest.raises(SettingsError, match=r"edge\.sites"):
        Sites([entry])


@given(
    st.one_of(
        st.binary(max_size=300),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(st.sampled_from([*order(), "st", "referrer", "extra", "x"]), inner, max_size=10)
            ),
            max_leaves=20,
        ).map(lambda value: json.dumps(value).encode()),
    ),
    st.text(st.characters(max_codepoint=255), max_size=200),
)
def test_whatever_comes_is_answered_and_what_is_stored_decodes(body: bytes, query: str) -> None:
    edge = Edge(per_minute=1000)
    for reply, event in (
        edge.ask(b"POST", "/w", body),
        edge.ask(b"GET", "/w?" + query),
        edge.ask(b"GET", "/w?hit=" + quote(body)),
    ):
        assert reply.status in (200, 204)
        assert (event is None) == (reply.reason in REASONS)
        assert event is None or decode(encode(event)) == event
