"""Whatever a client sends, it gets an answer below 500 that is sound HTTP, and what is stored is an event."""

import re
import tempfile
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from producers.edge.request import WANTED
from producers.edge.wire import KEEP, Wire
from sendtrail import content_files, mirror, overrides
from sendtrail.contents import Content
from sendtrail.events import decode, encode
from sendtrail.links import LinkKind
from sendtrail.overrides import Override
from tests.producers.edge.asking import NOW, Edge
from tests.support.strategies import destinations

_ANSWER = re.compile(rb"HTTP/1\.1 [234]\d\d [A-Za-z -]+\r\n(?:[A-Za-z-]+: [^\r\n\0]*\r\n)+\r\n", re.ASCII)


def _everything_on() -> Edge:
    folder = Path(tempfile.mkdtemp(prefix="edge-hostile-"))
    content = '<p>{{a}} *|b|* %c% ${d}</p><a href="{{a}}">'
    content_files.write(folder, [Content(delivery=delivery, part="html", content=content) for delivery in (1, 2)])
    overrides.save(folder / "overrides.toml", [Override(2, 5, "https://example.com/ü"), Override(3, 5)])
    return Edge(
        {
            "tracking": {"visitor_cookies": "persistent"},
            "answers": {"contents_dir": folder, "overrides_file": folder / "overrides.toml"},
            "edge": {"trusted_proxies": ["192.0.2.0/24"], "sites": ["shop=https://shop.example"]},
        }
    )


EDGES = (_everything_on(), Edge())
KINDS: tuple[LinkKind, ...] = ("open", "click", "optout", "mirror")

#: Headers as clients mangle them: bytes, and words that mean something here in any order.
words = st.lists(
    st.sampled_from([
        b"st_visitor=", b"st_visitor_refused=1", b"0123456789abcdef" * 2, b";", b",", b"=", b"de", b"fr;q=", b"0.5",
        b"\r\n", b"\0", b"\xff", b"*", b"nan", b"null", b"same-origin", b"https://", b"t.example", b"1", b"prefetch",
        b"choice=refuse", b"choice=allow", b"List-Unsubscribe=One-Click", b"%", b"{{a}}",
    ]),
    max_size=8,
).map(b"".join)  # fmt: skip
values = words | st.binary(max_size=200)
headers = st.dictionaries(st.sampled_from(sorted(WANTED)), values, max_size=6)
links = st.builds(
    lambda kind, destination, delivery, flags: EDGES[0].path(
        kind, "" if kind == "open" else destination, delivery=delivery, flags=flags
    ),
    st.sampled_from(KINDS),
    destinations | st.text(max_size=200).map(lambda text: mirror.destination_with({"a": text[:60], text[60:80]: text})),
    st.integers(1, 4),
    st.integers(0, 15),
)
targets = st.one_of(
    links,
    st.tuples(links, st.text(st.characters(max_codepoint=255), max_size=20)).map("".join),
    st.sampled_from(["/privacy", "/privacy?x", "/robots.txt", "/w", "/w?site=shop&pg=", "/st.js", "/", "*", ""]),
    st.tuples(st.sampled_from(["/o/", "/c/", "/u/", "/m/", "/w/", "/w?", ""]), st.text(max_size=60)).map("".join),
)


@given(
    st.sampled_from(EDGES),
    st.sampled_from([b"GET", b"HEAD", b"POST", b"OPTIONS", b"PUT", b"\xff"]),
    targets,
    headers,
    values,
)
@example(EDGES[0], b"POST", "/privacy", {b"sec-fetch-site": b"same-origin"}, b"choice=refuse")
@example(EDGES[0], b"GET", "/privacy", {b"accept-language": b"\xff;q=\xff"}, b"")
@example(EDGES[0], b"GET", EDGES[0].path("mirror", mirror.PREFIX + "a=%00&a=%0D%0A&=&%"), {}, b"")
@example(EDGES[0], b"GET", EDGES[0].path("click", "https://a.example/", delivery=3), {}, b"")
def test_any_request_has_a_sound_answer(
    edge: Edge, method: bytes, target: str, headers: dict[bytes, bytes], body: bytes
) -> None:
    named = {name.decode().replace("-", "_"): value for name, value in headers.items()}
    asked = edge.ask(target.encode("utf-8", "replace").decode("latin-1"), method, body, **named)
    assert 200 <= asked.status < 500
    made = Wire().encode(asked.reply, KEEP, True, NOW)
    head = made[: made.index(b"\r\n\r\n") + 4]
    assert _ANSWER.fullmatch(head)
    assert len(made) == len(head) + len(asked.reply.body)
    if asked.event is not None:
        assert decode(encode(asked.event)) == asked.event
        assert mirror.PREFIX not in asked.event.destination or asked.event.kind != "mirror"
