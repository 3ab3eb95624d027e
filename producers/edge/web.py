"""/w and /st.js -> (reply, visit or transaction | None). Pure but for the count of unsigned hits, by `now_ms`.

A hit belongs to a message where a signed id says so (token kind 5): the one the page sends, else the cookie that the
last click left. Without one it is stored unattributed, from registered origins and so many a minute from one address.
"""

from functools import cache

from producers.edge import tag
from producers.edge.known import Known
from producers.edge.replies import GIF, Reply
from producers.edge.request import Origin, Request, origin_of, text_of
from producers.edge.sites import Sites, sender_of
from producers.edge.web_fields import WebHit, kept_page, read_body, read_query
from sendtrail.errors import Invalid
from sendtrail.events import VERSION, Event
from sendtrail.ids import RandomBytes, hit_id, transaction_id
from sendtrail.keyring import Keyring
from sendtrail.links import Link, ReadLink, read_token

Answer = tuple[Reply, Event | None]

_CORS = b"Access-Control-Allow-Origin: %s\r\nAccess-Control-Allow-Credentials: true\r\nVary: Origin\r\n"
_PREFLIGHT = (
    b"Access-Control-Allow-Methods: POST\r\nAccess-Control-Allow-Headers: content-type\r\n"
    b"Access-Control-Max-Age: 86400\r\n"
)
_EVERYWHERE = b"Cross-Origin-Resource-Policy: cross-origin\r\n"
_SCRIPT_HEADERS = (
    b"ETag: " + tag.ETAG + b"\r\nAccess-Control-Allow-Origin: *\r\nX-Content-Type-Options: nosniff\r\n" + _EVERYWHERE
)
_SCRIPT_KEPT = b"Cache-Control: public, max-age=%d\r\n" % tag.MAX_AGE_S
_SCRIPT = Reply(
    200, "tag", tag.SCRIPT, b"text/javascript; charset=utf-8", _SCRIPT_HEADERS, constant=True, caching=_SCRIPT_KEPT
)
_SCRIPT_UNCHANGED = Reply(304, "tag", b"", b"", _SCRIPT_HEADERS, constant=True, caching=_SCRIPT_KEPT)


def answer(request: Request, known: Known, now_ms: int, random_bytes: RandomBytes) -> Answer | None:
    """The answer to what the web tag asks for; None for another path. Never raises on what the request holds."""
    path, _, query = request.target.partition("?")
    if path == "/st.js":
        kept = request.headers.get(b"if-none-match", b"")
        return (_SCRIPT_UNCHANGED if tag.ETAG in kept else _SCRIPT), None
    if path != "/w":
        return None
    post = request.method == b"POST"
    sender = sender_of(request.headers)
    allowed = sender if sender in known.sites.origins else ""
    hit = read_body(request.body) if post else read_query(query)
    event = hit if isinstance(hit, Invalid) else _event(request, hit, sender, known, now_ms, random_bytes)
    if isinstance(event, Invalid):
        return _reply(post, allowed, event.reason), None
    return _reply(post, allowed), event


def preflight(request: Request, known: Known) -> Reply | None:
    """The answer to a browser's question whether a page may POST to /w; None for another path."""
    if request.target.partition("?")[0] != "/w":
        return None
    sender = sender_of(request.headers)
    return _preflight(sender if sender in known.sites.origins else "")


@cache
def _reply(post: bool, allowed: str, reason: str = "") -> Reply:
    """A pixel, or nothing, whatever came: a shop's page must not show an error of ours. `allowed`: origin or empty."""
    cors = _CORS % allowed.encode("latin-1") if allowed and post else b""
    if post:
        return Reply(204, "web", b"", b"", cors, reason, constant=True)
    return Reply(200, "web", GIF, b"image/gif", _EVERYWHERE, reason, constant=True)


@cache
def _preflight(allowed: str) -> Reply:
    cors = _CORS % allowed.encode("latin-1") + _PREFLIGHT if allowed else b""
    return Reply(204, "web", b"", b"", cors, constant=True)


def _event(
    request: Request, hit: WebHit, sender: str, known: Known, now_ms: int, random_bytes: RandomBytes
) -> Event | Invalid:
    origin, cookies = origin_of(request, known.proxies), request.headers.get(b"cookie", b"")
    if known.cookies is not None and known.cookies.is_refused(cookies):
        return Invalid("refused")
    link = _proved(known.keyring, hit.st)
    if link is None and known.clicks is not None and "gpc" not in origin.hints:
        link = _proved(known.keyring, known.clicks.token_in(cookies))
    reason = _stranger(hit.site, sender, link is not None, known.sites)
    if not reason and link is None and not known.web_limit.take(origin.address, now_ms):
        reason = "too_many"
    if reason:
        return Invalid(reason)
    return _made(request, hit, origin, link, now_ms, random_bytes)


def _stranger(site: str, sender: str, signed: bool, sites: Sites) -> str:
    """Why a page may not report for a site. One that says nothing of itself may with a signed id."""
    if site not in sites:
        return "unknown_site"
    if not sender:
        return "" if signed else "no_origin"
    return "" if sites.owns(site, sender) else "foreign_origin"


def _proved(keyring: Keyring, token: str) -> Link | None:
    """The message of a web id whose signature holds."""
    read = read_token(keyring, token) if token else None
    if isinstance(read, ReadLink) and read.link.kind == "web" and read.key_state != "revoked":
        return read.link
    return None


def _made(
    request: Request, hit: WebHit, origin: Origin, link: Link | None, now_ms: int, random_bytes: RandomBytes
) -> Event:
    page = hit.page or kept_page(text_of(request.headers.get(b"referer")))  # a pixel without one is on its own page
    event = Event(
        version=VERSION,
        event_id=hit_id(now_ms, random_bytes),
        kind="web",
        event_time_ms=now_ms,
        source="edge",
        user_agent=text_of(request.headers.get(b"user-agent")),
        address=origin.address,
        referrer=hit.referrer,
        hints=origin.hints,
        site=hit.site,
        page=page,
    )
    if link is not None:
        event.delivery, event.message, event.recipient, event.flags = (
            link.delivery, link.message, link.recipient, link.flags,
        )  # fmt: skip
    elif hit.st:
        event.hints = [*origin.hints, "bad_id"]
    if hit.extra:
        event.attributes = {name: str(value) for name, value in hit.extra.items()}
    if hit.order is not None:
        event.kind, event.event_id = "transaction", transaction_id("", hit.site, hit.order)
        event.order_id, event.amount, event.currency = hit.order, hit.amount or 0, hit.currency or ""
        event.articles = hit.articles
    return event
