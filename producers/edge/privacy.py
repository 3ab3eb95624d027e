"""/privacy -> reply. Where a reader refuses the visitor cookie and allows it again.

No log-in: the choice is a cookie of the browser that makes it. A form on another site can't make it: the browser says
where a form was sent from (`Sec-Fetch-Site`, else `Origin` beside `Host`), and without that nothing changes.
"""

from collections.abc import Mapping

from producers.edge.cookies import CookiePolicy
from producers.edge.known import Known
from producers.edge.pages import PageSet
from producers.edge.replies import Reply

PATH = "/privacy"


def answer(request_method: bytes, headers: Mapping[bytes, bytes], body: bytes, known: Known) -> Reply:
    """The page, or what its form does. Never raises on what the request holds."""
    pages, policy = known.pages.of(headers.get(b"accept-language")), known.cookies
    if policy is None:
        return pages.privacy["off"]
    if headers.get(b"sec-gpc") == b"1":
        return pages.privacy["gpc"]
    if request_method == b"POST":
        return _choose(headers, body, policy, pages)
    refused = policy.is_refused(headers.get(b"cookie", b""))
    return pages.privacy["refused" if refused else "allowed"]


def _choose(headers: Mapping[bytes, bytes], body: bytes, policy: CookiePolicy, pages: PageSet) -> Reply:
    """Back to the page, which then shows what the browser has kept."""
    fields = body.strip().split(b"&")
    choice = policy.refuse if b"choice=refuse" in fields else policy.allow if b"choice=allow" in fields else b""
    if not choice or not _is_from_here(headers):
        return pages.not_done
    return Reply(303, "page", headers=b"Location: %s\r\n" % PATH.encode() + choice)


def _is_from_here(headers: Mapping[bytes, bytes]) -> bool:
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site == b"same-origin"
    origin, host = headers.get(b"origin", b""), headers.get(b"host", b"")
    return bool(host) and origin.partition(b"://")[2].lower() == host.lower()
