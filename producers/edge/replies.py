"""What the edge answers, as values; `wire.py` makes bytes of them."""

import re
from functools import cache

import msgspec

GIF = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)  # 43 bytes: one transparent pixel

HTML = b"text/html; charset=utf-8"
_PAGE_RULES = (
    b"Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    b"frame-ancestors 'none'; base-uri 'none'\r\nX-Content-Type-Options: nosniff\r\n"
)
PAGE_HEADERS = _PAGE_RULES + b"Referrer-Policy: no-referrer\r\n"
#: With no-referrer a browser would not say which site a form was sent from: `Origin: null` (Fetch, §3.2).
PRIVACY_HEADERS = _PAGE_RULES + b"Referrer-Policy: same-origin\r\n"
_MIRROR_RULES = (
    b"Content-Security-Policy: sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    b"img-src https: http: data:; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'; "
    b"base-uri 'none'\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
    b"X-Robots-Tag: noindex, nofollow\r\n"
)
#: What a redirect may lead to, even where a key holder signed something else.
_FOLLOWED = re.compile(r"https?://[^\x00-\x20\x7f-\x9f\u2028\u2029]+", re.IGNORECASE)


class Reply(msgspec.Struct, frozen=True, gc=False):
    """One answer. `route`: the link kind answered, or `page`. `headers`: whole lines beyond the usual ones.

    `reason`: why the link was not followed, empty where it was. `constant`: one object for many requests. `caching`:
    lines in place of those that forbid to keep the answer.
    """

    status: int
    route: str
    body: bytes = b""
    content_type: bytes = HTML
    headers: bytes = b""
    reason: str = ""
    constant: bool = False
    caching: bytes = b""


def page(status: int, route: str, body: bytes, reason: str = "", headers: bytes = b"", constant: bool = True) -> Reply:
    """HTML; `headers`: what browsers may do with it, PAGE_HEADERS or like them."""
    return Reply(status, route, body, HTML, headers, reason, constant)


def with_headers(reply: Reply, headers: bytes) -> Reply:
    """The same reply with further header lines, for one request only."""
    return msgspec.structs.replace(reply, headers=reply.headers + headers, constant=False)


@cache
def pixel(reason: str = "") -> Reply:
    """The gif, whatever the token was; `reason` from a closed list."""
    return Reply(200, "open", GIF, b"image/gif", b"Cross-Origin-Resource-Policy: cross-origin\r\n", reason, True)


def redirect(route: str, destination: str) -> Reply | None:
    """A 302 to a destination, its ASCII characters byte for byte, others percent-encoded as UTF-8.

    None for what no redirect may lead to.
    """
    if not _FOLLOWED.fullmatch(destination):
        return None
    location = destination if destination.isascii() else _ascii(destination)
    return Reply(302, route, b"", b"", b"Location: " + location.encode("ascii") + b"\r\n")


def _ascii(destination: str) -> str:
    """A `Location` header holds ASCII only; browsers encode raw UTF-8 in it in this way themselves."""
    return "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in destination.encode())


def plain(status: int, text: str, headers: bytes = b"") -> Reply:
    """A short text, for what no person looks at."""
    return Reply(status, "page", text.encode() + b"\n", b"text/plain; charset=utf-8", headers, constant=True)


def mirror(content: str) -> Reply:
    """A message as a page, in a sandbox: no script, no form, no origin, and images do not learn where it is."""
    return Reply(200, "mirror", content.encode("utf-8", "replace"), HTML, _MIRROR_RULES)


PIXEL = pixel()
NO_ICON = plain(404, "no icon")  # browsers ask for one beside any page: that is no bad link
ROBOTS = plain(200, "User-agent: *\nDisallow: /")
METHOD_NOT_ALLOWED = plain(405, "method not allowed", b"Allow: GET, HEAD, POST\r\n")
POST_NOT_ALLOWED = plain(405, "method not allowed", b"Allow: GET, HEAD\r\n")
BAD_REQUEST = plain(400, "bad request")
TIMED_OUT = plain(408, "request timed out")
BODY_TOO_LARGE = plain(413, "body too large")
TARGET_TOO_LONG = plain(414, "request target too long")
HEAD_TOO_LARGE = plain(431, "header fields too large")
