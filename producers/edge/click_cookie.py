"""The cookie of the last click: a signed web id (token kind 5) that the web tag's requests bring back.

It goes with the visitor cookie, under the same refusals, and only to /w: from pages of the same site as the tracking
host. What it says is proved by its signature when it comes back, like a link.
"""

import re
from typing import Literal

from producers.edge import replies
from producers.edge.cookies import DAY_S, Kept
from producers.edge.replies import Reply
from sendtrail.errors import KeysError
from sendtrail.events import Event
from sendtrail.keyring import Keyring
from sendtrail.links import Link, mint
from sendtrail.settings import CookieSettings

#: Requests that show no page to anybody (as streams' rules have it).
_UNSEEN = frozenset(("head", "prefetch"))


class ClickCookie:
    """Writes and reads the cookie."""

    def __init__(self, settings: CookieSettings) -> None:
        name = settings.name.encode() + b"_click"
        domain = b"; Domain=" + settings.domain.encode() if settings.domain else b""
        secure = b"; Secure" if settings.secure else b""
        rules = (settings.click_days * DAY_S, domain, settings.same_site.title().encode(), secure)
        self._before = b"Set-Cookie: %s=" % name
        self._after = b"; Max-Age=%d; Path=/w%s; SameSite=%s%s; HttpOnly\r\n" % rules
        self._read = re.compile(rb"(?:^|[;,])[ \t]*%s=([A-Za-z0-9_-]{1,256})[ \t]*(?=[;,]|$)" % re.escape(name))

    def remember(self, reply: Reply, click: Event, keyring: Keyring) -> Reply:
        """The reply to a click, with its message's id for the visits that follow; as it is where no key mints."""
        if not _UNSEEN.isdisjoint(click.hints):
            return reply
        link = Link("web", click.delivery, click.message, click.recipient, flags=click.flags)
        try:
            token = mint(keyring.active, link)
        except KeysError:
            return reply
        return replies.with_headers(reply, self._before + token.encode("ascii") + self._after)

    def token_in(self, cookies: bytes) -> str:
        """The token of a Cookie header, not yet proved; empty for none."""
        found = self._read.search(cookies)
        return found[1].decode("ascii") if found else ""


def click_cookie_of(kept: Literal["off"] | Kept, settings: CookieSettings) -> ClickCookie | None:
    """The cookie of an edge; None where it is not wanted, or no visitor cookies are."""
    return None if kept == "off" or not settings.click_days else ClickCookie(settings)
