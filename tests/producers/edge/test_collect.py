"""Every answer of the edge, without a socket."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.edge import replies
from producers.edge.collect import collect
from producers.edge.known import Known, known_of
from producers.edge.pages import load
from producers.edge.replies import Reply
from producers.edge.request import Request
from sendtrail.events import FLAG_SEED, Event, decode, encode
from sendtrail.ids import id_time_ms
from sendtrail.keyring import Keyring, new_keyring
from sendtrail.links import LETTERS, Link, LinkKind, mint, url_of
from sendtrail.settings import Config
from tests.support.strategies import destinations, keys

NOW = 1_700_000_000_123
PAGES = load().of(None)
DESTINATION = "https://example.com/a?b=c&d=%20#e"
TABLES = {"edge": {"trusted_proxies": ["10.0.0.0/8"]}}


@dataclass
class Edge:
    """Keys, and a way to ask."""

    keyring: Keyring = field(default_factory=new_keyring)

    @property
    def known(self) -> Known:
        return known_of(self.keyring, Config(TABLES))

    def path(self, kind: LinkKind, destination: str = "", **fields: Any) -> str:
        values = {
            "recipient": 3,
            "url_id": 0 if kind == "open" else 4,
            "position": 0 if kind == "open" else 5,
            **fields,
        }
        return url_of("", kind, mint(self.keyring.active, Link(kind, 1, 2, destination=destination, **values)))

    def ask(
        self, target: str, method: bytes = b"GET", body: bytes = b"", peer: str = "192.0.2.1", **headers: bytes
    ) -> tuple[Reply, Event | None]:
        named = {name.replace("_", "-").encode(): value for name, value in headers.items()}
        return collect(Request(method, target, peer, named, body), self.known, NOW, bytes)

    def revoke(self) -> None:
        self.keyring = self.keyring.with_state(self.keyring.active.key_id, "revoked")

    def retire(self) -> None:
        self.keyring = self.keyring.with_state(self.keyring.active.key_id, "retired")


@pytest.fixture
def edge() -> Edge:
    return Edge()


def test_a_pixel_hit_is_whole(edge: Edge) -> None:
    path = edge.path("open", flags=FLAG_SEED)
    reply, event = edge.ask(path, user_agent=b"Agent/1", referer=b"https://mail.example/", sec_gpc=b"1")
    assert reply is replies.PIXEL
    assert event is not None
    assert event == Event(
        version=1, event_id=event.event_id, kind="open", event_time_ms=NOW, source="edge", delivery=1, message=2,
        recipient=3, flags=FLAG_SEED, user_agent="Agent/1", address="192.0.2.1", referrer="https://mail.example/",
        hints=["gpc"],
    )  # fmt: skip
    assert id_time_ms(event.event_id) == NOW
    assert decode(encode(event)) == event


def test_a_click_is_redirected_and_keeps_the_destination_as_followed(edge: Edge) -> None:
    reply, event = edge.ask(edge.path("click", DESTINATION))
    assert reply.status == 302
    assert f"Location: {DESTINATION}\r\n".encode() in reply.headers
    assert event is not None
    assert (event.kind, event.url_id, event.position, event.destination) == ("click", 4, 5, DESTINATION)


def test_a_token_without_recipient(edge: Edge) -> None:
    _, event = edge.ask(edge.path("open", recipient=None))
    assert event is not None
    assert (event.recipient, event.flags) == (None, 16)


def test_two_hits_have_two_ids() -> None:
    edge, drawn = Edge(), iter([bytes(10), bytes([1]) * 10])
    request = Request(b"GET", edge.path("open"), "192.0.2.1", {})
    ids = [collect(request, edge.known, NOW, lambda _: next(drawn))[1] for _ in range(2)]
    assert ids[0] is not None
    assert ids[1] is not None
    assert ids[0].event_id != ids[1].event_id


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/o/", "not_a_link"),
        ("/o/abc", "malformed"),
        ("/O/abc", "malformed"),
        ("/o/" + "A" * 60, "unknown_version"),
        ("/o/%00%ff", "malformed"),
    ],
)
def test_a_pixel_is_a_gif_whatever_its_token(edge: Edge, path: str, reason: str) -> None:
    reply, event = edge.ask(path)
    assert (reply.status, reply.body, event) == (200, replies.GIF, None)
    assert reply.reason in (reason, "not_a_link")


def test_a_click_token_under_the_pixel_route_is_a_gif_without_a_hit(edge: Edge) -> None:
    reply, event = edge.ask("/o/" + edge.path("click", DESTINATION)[3:])
    assert (reply.body, reply.reason, event) == (replies.GIF, "wrong_kind", None)


@pytest.mark.parametrize("kind", ["click", "optout", "mirror"])
def test_a_forged_link_is_not_found(edge: Edge, kind: LinkKind) -> None:
    foreign = Edge()
    reply, event = edge.ask(foreign.path(kind, DESTINATION))
    assert (reply.status, reply.body, event) == (404, PAGES.not_found("").body, None)
    assert reply.reason == "bad_mac"
    assert b"example.com" not in reply.headers + reply.body


@pytest.mark.parametrize("path", ["/", "/c/", "/x/abc", "*", "", "/index.php?id=1"])
def test_everything_else_is_not_found(edge: Edge, path: str) -> None:
    reply, event = edge.ask(path)
    assert (reply.status, event) == (404, None)
    assert reply.reason


def test_robots_are_asked_to_stay_out(edge: Edge) -> None:
    reply, event = edge.ask("/robots.txt")
    assert (reply.status, reply.reason, event) == (200, "", None)
    assert b"Disallow: /" in reply.body


def test_an_icon_that_browsers_ask_for_is_no_bad_link(edge: Edge) -> None:
    reply, event = edge.ask("/favicon.ico")
    assert (reply.status, reply.reason, event) == (404, "", None)


def test_a_web_id_is_not_served_yet(edge: Edge) -> None:
    reply, event = edge.ask(edge.path("web", url_id=0, position=0))
    assert (reply.status, reply.reason, event) == (404, "not_served", None)


# Keys


def test_a_retired_key_still_counts(edge: Edge) -> None:
    path = edge.path("click", DESTINATION)
    edge.retire()
    reply, event = edge.ask(path)
    assert reply.status == 302
    assert event is not None


@pytest.mark.parametrize("kind", ["click", "optout", "mirror"])
def test_a_revoked_key_shows_where_the_link_would_lead(edge: Edge, kind: LinkKind) -> None:
    path = edge.path(kind, "https://example.com/?a=1&b=<i>")
    edge.revoke()
    reply, event = edge.ask(path)
    assert (reply.status, reply.reason, event) == (200, "revoked", None)
    assert b"https://example.com/?a=1&amp;b=&lt;i&gt;" in reply.body
    assert b"Location" not in reply.headers


def test_a_revoked_pixel_is_a_gif_without_a_hit(edge: Edge) -> None:
    path = edge.path("open")
    edge.revoke()
    reply, event = edge.ask(path)
    assert (reply.body, reply.reason, event) == (replies.GIF, "revoked", None)


def test_a_revoked_optout_does_not_act(edge: Edge) -> None:
    path = edge.path("optout")
    edge.revoke()
    reply, event = edge.ask(path, b"POST", b"List-Unsubscribe=One-Click")
    assert (reply.status, reply.body, event) == (200, PAGES.revoked("optout", "").body, None)


# Opt-out


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_looking_at_the_optout_page_changes_nothing(edge: Edge, method: bytes) -> None:
    reply, event = edge.ask(edge.path("optout"), method)
    assert (reply.status, reply.body) == (200, PAGES.optout.body)
    assert event is not None
    assert (event.kind, event.how) == ("optout", "view")


@pytest.mark.parametrize(
    ("body", "how"),
    [
        (b"List-Unsubscribe=One-Click", "one_click"),
        (b"list-unsubscribe=one-click\r\n", "one_click"),
        (b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n', "one_click"),
        (b"optout=confirm", "form"),
        (b"", "form"),
        (b"\xff\x00", "form"),
    ],
)
def test_a_post_unsubscribes_without_a_redirect(edge: Edge, body: bytes, how: str) -> None:
    for destination in ("", "https://example.com/preferences"):
        reply, event = edge.ask(edge.path("optout", destination), b"POST", body)
        assert (reply.status, reply.body) == (200, PAGES.optout_done.body)
        assert event is not None
        assert event.how == how


def test_a_prefetched_post_is_a_view(edge: Edge) -> None:
    reply, event = edge.ask(edge.path("optout"), b"POST", b"optout=confirm", sec_purpose=b"prefetch")
    assert reply.body == PAGES.optout.body
    assert event is not None
    assert (event.how, event.hints) == ("view", ["prefetch"])


def test_an_optout_with_a_page_of_its_own_is_redirected_unconfirmed(edge: Edge) -> None:
    reply, event = edge.ask(edge.path("optout", DESTINATION))
    assert reply.status == 302
    assert event is not None
    assert (event.how, event.destination) == ("view", DESTINATION)


# Mirror, methods, clients


def test_a_mirror_link_is_redirected_or_not_found(edge: Edge) -> None:
    reply, event = edge.ask(edge.path("mirror", DESTINATION))
    assert reply.status == 302
    assert event is not None
    assert event.kind == "mirror"
    reply, event = edge.ask(edge.path("mirror"))
    assert (reply.status, reply.reason, event) == (404, "no_content", None)


@pytest.mark.parametrize("method", [b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE", b"PROPFIND"])
def test_other_methods_are_refused(edge: Edge, method: bytes) -> None:
    for kind in ("open", "click", "optout"):
        reply, event = edge.ask(edge.path(kind, DESTINATION if kind == "click" else ""), method)
        assert (reply.status, event) == (405, None)
        assert reply.headers == b"Allow: GET, HEAD, POST\r\n"


@pytest.mark.parametrize("kind", ["open", "click", "mirror"])
def test_only_an_optout_takes_a_post(edge: Edge, kind: LinkKind) -> None:
    reply, event = edge.ask(edge.path(kind, "" if kind == "open" else DESTINATION), b"POST")
    assert (reply.status, reply.headers, event) == (405, b"Allow: GET, HEAD\r\n", None)
    assert edge.ask("/o/x", b"POST")[0].status == 405


def test_head_and_prefetch_are_served_and_marked(edge: Edge) -> None:
    path = edge.path("click", DESTINATION)
    answers = [
        (edge.ask(path, b"HEAD"), ["head"]),
        (edge.ask(path, purpose=b"prefetch"), ["prefetch"]),
    ]
    for (reply, event), hints in answers:
        assert reply.status == 302
        assert event is not None
        assert event.hints == hints


def test_the_client_behind_a_trusted_proxy(edge: Edge) -> None:
    _, event = edge.ask(edge.path("open"), peer="10.0.0.1", x_forwarded_for=b"198.51.100.1")
    assert event is not None
    assert (event.address, event.hints) == ("198.51.100.1", ["proxy"])


@pytest.mark.parametrize("damage", ["?utm_source=x", "&amp;a=1", "#top", "%20", ".", ">"])
def test_what_gateways_append_is_undone(edge: Edge, damage: str) -> None:
    reply, event = edge.ask(edge.path("click", DESTINATION) + damage)
    assert reply.status == 302
    assert f"Location: {DESTINATION}\r\n".encode() in reply.headers
    assert event is not None


header_values = st.binary(max_size=6000)


@given(
    kind=st.sampled_from([kind for kind in LETTERS if kind != "web"]),
    recipient=st.none() | keys,
    destination=destinations,
    flags=st.integers(0, 255),
    headers=st.dictionaries(
        st.sampled_from([b"user-agent", b"referer", b"x-forwarded-for", b"purpose", b"sec-gpc"]), header_values
    ),
    method=st.sampled_from([b"GET", b"HEAD", b"POST"]),
    body=st.binary(max_size=200),
)
def test_no_event_of_ours_is_ever_refused(
    kind: LinkKind, recipient: int | None, destination: str, flags: int,
    headers: dict[bytes, bytes], method: bytes, body: bytes,
) -> None:  # fmt: skip
    edge = Edge()
    path = edge.path(kind, "" if kind == "open" else destination, recipient=recipient, flags=flags)
    request = Request(method, path, "10.0.0.1", headers, body)
    reply, event = collect(request, edge.known, NOW, bytes)
    assert reply.status in (200, 302, 404, 405)
    assert (event is not None) == (reply.status < 400)
    if event is not None:
        assert decode(encode(event)) == event


@given(
    st.text(st.characters(max_codepoint=255), max_size=300), st.binary(max_size=30), st.sampled_from([b"GET", b"POST"])
)
def test_any_target_gets_an_answer_and_no_hit(target: str, header: bytes, method: bytes) -> None:
    request = Request(method, target, "192.0.2.1", {b"user-agent": header}, header)
    for prefix in ("", "/o/", "/c/", "/u/"):
        made = Request(method, prefix + target, request.peer, request.headers, request.body)
        reply, event = collect(made, Edge().known, NOW, bytes)
        assert reply.status in (200, 404, 405)
        assert event is None
