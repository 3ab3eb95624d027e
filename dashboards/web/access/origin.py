"""Requests that another site makes a browser send: told by Fetch Metadata and `Origin`, stopped by form tokens."""

import hmac
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message, Receive

from dashboards.web.access.answers import Refusal
from dashboards.web.access.places import Hosts, split_host

TOKEN_FIELD = "csrf"
TOKEN_HEADER = "x-csrf-token"
MAX_FORM_BYTES = 1024 * 1024

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_PORTS = {"http": "80", "https": "443"}


def is_unsafe(request: Request) -> bool:
    """True for methods that change something."""
    return request.method not in ("GET", "HEAD", "OPTIONS")


def from_elsewhere(request: Request, hosts: Hosts, https: bool) -> Refusal | None:
    """Why a request is another site's doing; None where nothing says so.

    Reading: another site may link here, but not fetch or embed. Changing: it may do nothing.
    """
    site = request.headers.get("sec-fetch-site", "")
    if is_unsafe(request):
        if site in ("same-origin", "none"):
            return None
        if site or not _own_origin(request, hosts, https):
            return Refusal(403, "the request comes from another site; names of this one are set in web.allowed_hosts")
        return None
    if site in ("", "same-origin", "none"):
        return None
    if request.headers.get("sec-fetch-mode") == "navigate" and request.headers.get("sec-fetch-dest") == "document":
        return None
    return Refusal(403, "another site may link to these pages, not embed or fetch them")


def _own_origin(request: Request, hosts: Hosts, https: bool) -> bool:
    """False for an `Origin` that is not this server; true without one, as programs send none."""
    origins = request.headers.getlist("origin")
    if not origins:
        return True
    try:
        origin = urlsplit(origins[0])
    except ValueError:
        return False
    if len(origins) > 1 or origin.scheme not in _PORTS or (https and origin.scheme != "https"):
        return False
    if hosts.lists(origin.netloc):
        return True
    name, port = split_host(origin.netloc)
    own_name, own_port = split_host(request.headers.get("host", ""))
    usual = _PORTS[origin.scheme]
    return (name, port or usual) == (own_name, own_port or usual)


async def form_token(request: Request) -> tuple[str, Receive] | Refusal:
    """The token a request brings, in its header or its form, and from where the endpoint reads the body again."""
    token = request.headers.get(TOKEN_HEADER)
    if token is not None:
        return token, request.receive
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _FORMS:
        return "", request.receive
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            return Refusal(413, f"a form has {MAX_FORM_BYTES} bytes at most")
    try:
        form = await Request(request.scope, _again(bytes(body), request.receive)).form(max_files=0)
    except (HTTPException, MultiPartException):
        return Refusal(400, "the form can't be read")
    found = form.get(TOKEN_FIELD)
    await form.close()
    return found if isinstance(found, str) else "", _again(bytes(body), request.receive)


def matches(given: str, expected: str) -> bool:
    """Compare tokens in the same time wherever they differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _again(body: bytes, receive: Receive) -> Receive:
    """A body that was read already, then what follows it on the connection."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
