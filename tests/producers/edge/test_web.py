"""What the web tag's hits become, without a socket: whose they are, by beacon and by pixel; and the script itself."""

import json
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest

from producers.edge import tag
from producers.edge.replies import GIF
from sendtrail.events import FLAG_SEED, Event, decode, encode
from sendtrail.ids import transaction_id
from sendtrail.links import Link, mint
from tests.producers.edge.web_asking import NOW, Edge, order, visit


@pytest.fixture
def edge() -> Edge:
    return Edge()


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


def test_a_link_inside_an_address_of_a_page_is_not_followed(edge: Edge) -> None:
    click = "/c/" + mint(edge.keyring.active, Link("click", 1, 2, 3, destination="https://x.example/"))
    reply, event = edge.ask(b"GET", f"/w?site=shop&page={click}&referrer={click}")
    assert reply.status == 200
    assert event is not None
    assert event.kind == "web"


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
