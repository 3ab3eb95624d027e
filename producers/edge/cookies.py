"""The visitor cookie: an id the edge makes, so that two requests of one browser are one person's (METRICS, Vocabulary).

It is offered with any hit, never to a browser that sends `Sec-GPC: 1` or the cookie of a refusal, and never for a link
whose token says so. A second cookie remembers a refusal, made on the page `/privacy`.
"""

import re
from typing import Literal

from sendtrail.settings import CookieSettings

Kept = Literal["session", "persistent"]

DAY_S = 86_400
#: How long a refusal is remembered: as long as browsers allow.
REFUSAL_DAYS = 400
VISITOR_BYTES = 16


class CookiePolicy:
    """Reads and writes the two cookies."""

    def __init__(self, kept: Kept, settings: CookieSettings) -> None:
        name = settings.name.encode()
        refused = name + b"_refused"
        domain = b"; Domain=" + settings.domain.encode() if settings.domain else b""
        secure = b"; Secure" if settings.secure else b""
        common = b"%s; SameSite=%s%s; HttpOnly\r\n" % (domain, settings.same_site.title().encode(), secure)
        rules = b"; Path=/" + common
        age = b"; Max-Age=%d" % (settings.age_days * DAY_S) if kept == "persistent" else b""
        self._visitor = re.compile(rb"(?:^|[;,])[ \t]*%s=([0-9a-f]{32})[ \t]*(?=[;,]|$)" % re.escape(name))
        self._refused = re.compile(rb"(?:^|[;,])[ \t]*%s=1[ \t]*(?=[;,]|$)" % re.escape(refused))
        self._refused_name = refused  # nearly no request has it: a search for the plain name is cheaper
        self._before, self._after = b"Set-Cookie: %s=" % name, age + rules
        forget = b"Set-Cookie: %s=; Max-Age=0" % name + rules
        forget += b"Set-Cookie: %s_click=; Max-Age=0; Path=/w" % name + common  # click_cookie.py
        #: Header lines that make a browser refuse from now on, and those that take a refusal back.
        self.refuse = forget + b"Set-Cookie: %s=1; Max-Age=%d" % (refused, REFUSAL_DAYS * DAY_S) + rules
        self.allow = b"Set-Cookie: %s=; Max-Age=0" % refused + rules

    def visitor_in(self, cookies: bytes) -> str | None:
        """The visitor of a Cookie header; None for anything but the exact form the edge itself sets."""
        found = self._visitor.search(cookies)
        return found[1].decode("ascii") if found else None

    def is_refused(self, cookies: bytes) -> bool:
        """True where a Cookie header holds a refusal."""
        return self._refused_name in cookies and self._refused.search(cookies) is not None

    def offer(self, visitor: str) -> bytes:
        """The header line that gives a browser its id."""
        return self._before + visitor.encode("ascii") + self._after


def policy_of(kept: Literal["off"] | Kept, settings: CookieSettings) -> CookiePolicy | None:
    """The policy of an edge; None where no visitor cookies are wanted."""
    return None if kept == "off" else CookiePolicy(kept, settings)
