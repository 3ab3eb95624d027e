"""Values of the web tag's hits: strict, each refusal with its reason, and no more of an address kept than its path."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.edge.replies import GIF
from producers.edge.web_fields import kept_url
from sendtrail.events import decode, encode
from sendtrail.keyring import new_keyring
from sendtrail.links import Link, mint
from tests.producers.edge.web_asking import REASONS, Edge, order, visit


@pytest.fixture
def edge() -> Edge:
    return Edge()


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
