"""request -> (reply, event | None). Pure: what the edge knows, the clock and the random bytes come in as arguments.

A pixel is always a gif; a redirect goes only where a sound signature of a key that is not revoked says; a GET changes
nothing, only a POST unsubscribes (RFC 8058).
"""

from producers.edge import privacy, replies, web
from producers.edge.cookies import VISITOR_BYTES, CookiePolicy
from producers.edge.known import Known
from producers.edge.mirror import page_of
from producers.edge.pages import PageSet
from producers.edge.replies import Reply
from producers.edge.request import Origin, Request, origin_of, text_of
from sendtrail.errors import Invalid
from sendtrail.events import FLAG_HONEYPOT, FLAG_NO_COOKIE, VERSION, Event, How
from sendtrail.gateways import resolve
from sendtrail.ids import RandomBytes, hit_id
from sendtrail.keyring import LinkKey
from sendtrail.links import Link, ReadLink
from sendtrail.mirror import is_stored
from sendtrail.overrides import Overrides

Answer = tuple[Reply, Event | None]

_GETS = (b"GET", b"HEAD")
_WITH_URL = ("click", "optout", "mirror")


def collect(request: Request, known: Known, now_ms: int, random_bytes: RandomBytes) -> Answer:
    """Answer one request. `now_ms`: UTC milliseconds. Never raises on what the request holds."""
    if request.method not in _GETS and request.method != b"POST":
        return (request.method == b"OPTIONS" and web.preflight(request, known)) or replies.METHOD_NOT_ALLOWED, None
    if request.target[2:3] != "/" and (answer := web.answer(request, known, now_ms, random_bytes)) is not None:
        reply, event = answer
        return (reply if event is None else _with_cookies(request, event, reply, known, random_bytes)), event
    read = resolve(known.keyring, request.target)
    if isinstance(read, Invalid):
        return _bad(request, read.reason, known), None
    link = read.link
    if request.method == b"POST" and link.kind != "optout":
        return replies.POST_NOT_ALLOWED, None
    if read.key_state == "revoked":
        return _revoked(link, _pages(request, known)), None
    origin = origin_of(request, known.proxies)
    how: How | None = None
    if link.kind == "open":
        reply = replies.PIXEL
    else:
        reply, how, link = _lead(request, read, origin, known)
        if reply.reason:
            return reply, None
    event = _hit(request, link, origin, how, hit_id(now_ms, random_bytes), now_ms)
    if known.cookies is not None:
        reply = _with_cookies(request, event, reply, known, random_bytes)
    return reply, event


def _pages(request: Request, known: Known) -> PageSet:
    return known.pages.of(request.headers.get(b"accept-language"))


def _bad(request: Request, reason: str, known: Known) -> Reply:
    """A pixel stays a pixel for whatever shows it; everything else is a page."""
    if request.target[:3].lower() == "/o/":
        return replies.pixel(reason) if request.method != b"POST" else replies.POST_NOT_ALLOWED
    if request.target == "/robots.txt":
        return replies.ROBOTS
    if request.target == "/favicon.ico":
        return replies.NO_ICON
    if request.target.partition("?")[0] == privacy.PATH:
        return privacy.answer(request.method, request.headers, request.body, known)
    return _pages(request, known).not_found(reason)


def _revoked(link: Link, pages: PageSet) -> Reply:
    if link.kind == "open":
        return replies.pixel("revoked")
    own_page = link.kind == "mirror" and is_stored(link.destination)
    return pages.revoked(link.kind, "" if own_page else link.destination)


def _corrected(link: Link, overrides: Overrides) -> tuple[Link, bool]:
    """The link as it is to be followed, and whether it leads nowhere: what the sender set after the mail was out."""
    override = overrides.get((link.delivery, link.url_id)) if link.kind in _WITH_URL else None
    if override is None:
        return link, False
    return link._replace(destination=override.to), not override.to


def _lead(request: Request, read: ReadLink, origin: Origin, known: Known) -> tuple[Reply, How | None, Link]:
    """Where a link leads: the reply, how an opt-out was made, and the link as it was followed."""
    link, blocked = _corrected(read.link, known.overrides) if known.overrides else (read.link, False)
    if link.kind == "optout":
        reply, how = _optout(request, link, origin, known)
        return reply, how, link
    if link.kind == "web":
        return _pages(request, known).not_found("not_served"), None, link
    if blocked:
        return _pages(request, known).blocked[link.kind], None, link
    if link.kind == "mirror" and is_stored(link.destination):
        reply = _mirror(request, link, known.keyring.links[read.key_id], known)
        return reply, None, link._replace(destination="")  # a person's values are nothing to store
    return _redirect(request, link, known), None, link


def _mirror(request: Request, link: Link, key: LinkKey, known: Known) -> Reply:
    """The delivery's stored content, shown to this message."""
    content = known.contents.of(link.delivery) if known.contents is not None else None
    if content is None:
        return _pages(request, known).not_found("no_content")
    return replies.mirror(page_of(content, link, key))


def _redirect(request: Request, link: Link, known: Known) -> Reply:
    reply = replies.redirect(link.kind, link.destination)
    return reply or _pages(request, known).not_found("unsafe_destination")


def _optout(request: Request, link: Link, origin: Origin, known: Known) -> tuple[Reply, How]:
    """A POST acts, unless nobody can have pressed the button: it is a prefetch, or the link is hidden from people."""
    if request.method == b"POST" and not origin.prefetch and not link.flags & FLAG_HONEYPOT:
        return _pages(request, known).optout_done, "one_click" if _is_one_click(request.body) else "form"
    return _redirect(request, link, known) if link.destination else _pages(request, known).optout, "view"


def _is_one_click(body: bytes) -> bool:
    """RFC 8058 §3.2: `List-Unsubscribe=One-Click`, as form data or as one part of a multipart body."""
    folded = body.lower()
    return b"list-unsubscribe" in folded and b"one-click" in folded


def _with_cookies(request: Request, event: Event, reply: Reply, known: Known, random_bytes: RandomBytes) -> Reply:
    """Put the visitor into the event; the reply offers what the browser is to keep."""
    if known.cookies is None:
        return reply
    reply = _recognise(request, event, reply, known.cookies, random_bytes)
    if known.clicks is not None and event.kind == "click" and event.visitor is not None:
        reply = known.clicks.remember(reply, event, known.keyring)
    return reply


def _recognise(request: Request, event: Event, reply: Reply, policy: CookiePolicy, random_bytes: RandomBytes) -> Reply:
    """Put the visitor into the event. One without a cookie gets a fresh id, which the reply offers."""
    sent = request.headers.get(b"cookie", b"")
    if event.flags & FLAG_NO_COOKIE or "gpc" in event.hints or policy.is_refused(sent):
        return reply
    event.visitor = policy.visitor_in(sent)
    if event.visitor is not None:
        return reply
    event.visitor, event.visitor_is_new = random_bytes(VISITOR_BYTES).hex(), True
    return replies.with_headers(reply, policy.offer(event.visitor))


def _hit(request: Request, link: Link, origin: Origin, how: How | None, event_id: str, now_ms: int) -> Event:
    headers = request.headers
    # Fifteen keywords and not one more: beyond that CPython gathers them in a dict first, which trebles the price.
    event = Event(
        version=VERSION,
        event_id=event_id,
        kind=link.kind,
        event_time_ms=now_ms,
        source="edge",
        delivery=link.delivery,
        message=link.message,
        recipient=link.recipient,
        url_id=None if link.kind == "open" else link.url_id,
        position=link.position,
        destination=link.destination,
        flags=link.flags,
        user_agent=text_of(headers.get(b"user-agent")),
        address=origin.address,
        referrer=text_of(headers.get(b"referer")),
    )
    if how is not None:
        event.how = how
    if origin.hints:
        event.hints = origin.hints
    return event
