"""A request as the HTTP adapter hands it over, and what its headers say: text within the limits of an event."""

from collections.abc import Mapping

import msgspec

from producers.edge.addresses import TrustedProxies

#: The headers that matter here; the adapter keeps no other.
WANTED = frozenset((
    b"user-agent", b"referer", b"x-forwarded-for", b"purpose", b"sec-purpose", b"x-purpose", b"x-moz", b"sec-gpc",
    b"accept-language", b"host", b"sec-fetch-site",
    b"content-length", b"expect", b"cookie", b"origin", b"if-none-match",
))  # fmt: skip

#: Those that matter for a pixel, by far the most frequent request: what only pages need is not kept.
WANTED_FOR_PIXELS = WANTED - {b"accept-language", b"host", b"sec-fetch-site"}

MAX_TEXT = 2048  # characters of user agent and referrer in an event
_PREFETCH = (b"sec-purpose", b"purpose", b"x-purpose", b"x-moz")
_TELLING = frozenset((*_PREFETCH, b"sec-gpc", b"x-forwarded-for"))
_PREFETCH_WORDS = (b"prefetch", b"prerender", b"preview")


class Request(msgspec.Struct, frozen=True, gc=False):
    """One request. `target`: path and query as received, latin-1. `headers`: those of WANTED, names in lower case."""

    method: bytes
    target: str
    peer: str
    headers: Mapping[bytes, bytes]
    body: bytes = b""


def text_of(value: bytes | None) -> str:
    """A header as text an event can hold: UTF-8 with replacement, cut to MAX_TEXT characters."""
    if not value:
        return ""
    if value.isascii():
        return value[:MAX_TEXT].decode("ascii")
    return value.decode("utf-8", "replace")[:MAX_TEXT]


def is_prefetch(headers: Mapping[bytes, bytes]) -> bool:
    """True where the client says that nobody has asked for this yet."""
    for name in _PREFETCH:
        value = headers.get(name)
        if value is not None and any(word in value.lower() for word in _PREFETCH_WORDS):
            return True
    return False


class Origin(msgspec.Struct, frozen=True, gc=False):
    """Where a request comes from, with the hints that rules need later."""

    address: str
    hints: list[str]
    prefetch: bool


def origin_of(request: Request, proxies: TrustedProxies) -> Origin:
    """Address and hints of a request."""
    headers = request.headers
    if request.method == b"GET" and headers.keys().isdisjoint(_TELLING):
        return Origin(request.peer, [], False)
    address, by_proxy = request.peer, False
    forwarded = headers.get(b"x-forwarded-for")
    if forwarded is not None:
        address, by_proxy = proxies.client(request.peer, forwarded.decode("latin-1"))
    prefetch = is_prefetch(headers)
    marks = (
        ("head", request.method == b"HEAD"),
        ("prefetch", prefetch),
        ("gpc", headers.get(b"sec-gpc") == b"1"),
        ("proxy", by_proxy),
    )
    return Origin(address, [name for name, holds in marks if holds], prefetch)
