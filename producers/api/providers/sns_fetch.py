"""What a message of SNS makes us fetch: its certificate, and the confirmation of a subscription. Nothing else is."""

from collections.abc import Callable

import httpx

_TIMEOUT_S = 5.0
_MOST_BYTES = 64 * 1024
_MOST_KEPT = 32

Fetch = Callable[[str], bytes]


class FetchFailed(Exception):
    """No answer, another status than 200, or too much of it. A retry may go better."""


def fetch(url: str) -> bytes:
    """A page over https, without following anybody elsewhere. Raises FetchFailed."""
    try:
        with httpx.stream("GET", url, timeout=_TIMEOUT_S, follow_redirects=False) as answer:
            if answer.status_code != 200:
                raise FetchFailed(f"{url}: status {answer.status_code}")
            content = bytearray()
            for chunk in answer.iter_bytes():
                content += chunk
                if len(content) > _MOST_BYTES:
                    raise FetchFailed(f"{url}: more than {_MOST_BYTES} bytes")
            return bytes(content)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise FetchFailed(f"{url}: {error}") from error


class Certificates:
    """Certificates by their address, each fetched once. The caller has checked the address."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._kept: dict[str, bytes] = {}

    def get(self, url: str) -> bytes:
        """Raises FetchFailed."""
        found = self._kept.get(url)
        return self._fetch(url) if found is None else found

    def keep(self, url: str, certificate: bytes) -> None:
        """Once a signature proved it."""
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[url] = certificate
