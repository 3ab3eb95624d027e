"""Setting edge.sites: which sites may report visits, and the origins their pages have."""

import re
from collections.abc import Iterable, Mapping

from sendtrail.errors import SettingsError

_ENTRY = re.compile(r"(?P<name>[^=\x00-\x20\x7f]{1,128})=(?P<origin>https?://[^/?#@\\\s,]+)/?", re.IGNORECASE)
_ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[^/?#@\\:\s\[\]]+)(?::([0-9]{1,5}))?(?:[/?#].*)?", re.IGNORECASE)
_USUAL_PORTS = {"http": "80", "https": "443"}


class Sites:
    """The registered sites by name. `origins`: all of them, each in the form browsers send it."""

    def __init__(self, entries: Iterable[str]) -> None:
        """`entries`: `name=origin`, a site with several origins has several. Raises SettingsError for another shape."""
        found: dict[str, set[str]] = {}
        for entry in entries:
            match = _ENTRY.fullmatch(entry)
            origin = origin_of_url(match["origin"]) if match else None
            if match is None or origin is None:
                raise SettingsError(f"setting edge.sites: {entry!r} is not like shop=https://www.shop.example")
            found.setdefault(match["name"], set()).add(origin)
        self._origins = {name: frozenset(origins) for name, origins in found.items()}
        self.origins = frozenset(origin for origins in found.values() for origin in origins)

    def __contains__(self, site: str) -> bool:
        return site in self._origins

    def owns(self, site: str, origin: str) -> bool:
        """True where `origin`, in its usual form, is one of the site's."""
        return origin in self._origins.get(site, ())


def origin_of_url(url: str) -> str | None:
    """Scheme, host and port of a URL as `Origin` has them; None for what is no http or https URL."""
    match = _ORIGIN.fullmatch(url)
    if match is None:
        return None
    scheme, host, port = match[1].lower(), match[2].lower(), match[3]
    return f"{scheme}://{host}" if port in (None, _USUAL_PORTS[scheme]) else f"{scheme}://{host}:{port}"


def sender_of(headers: Mapping[bytes, bytes]) -> str:
    """The origin of the page a request comes from: `Origin`, else that of `Referer`; empty where it says neither."""
    for name in (b"origin", b"referer"):
        value = headers.get(name)
        if value is not None:
            return origin_of_url(value.decode("latin-1")) or "null"
    return ""
