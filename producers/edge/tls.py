"""`/tls/allowed?domain=`: may the TLS proxy in front of the edge fetch a certificate for this name?

Without this question anybody who makes a name lead here could have certificates fetched until the issuer refuses more.
"""

import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from sendtrail import domains
from sendtrail.errors import DomainsError


class Allowed:
    """Answers from the file of domains as it is: read again when it has changed. Asked from several threads."""

    def __init__(self, file: Path, base_url: str) -> None:
        """`base_url`: the tracking host of the settings, which is always allowed."""
        self._file = file
        self._own = (urlsplit(base_url).hostname or "").lower()
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._names: frozenset[str] = frozenset()

    def __call__(self, query: str) -> int:
        """HTTP status: 200 for a name that is allowed, 404 for any other."""
        names = parse_qs(query, max_num_fields=8).get("domain", []) if query.count("&") < 8 else []
        return 200 if len(names) == 1 and self.holds(names[0]) else 404

    def holds(self, name: str) -> bool:
        """True for the tracking host and for verified domains."""
        name = name.lower().rstrip(".")
        if name and name == self._own:
            return True
        with self._lock:
            self._read_again()
            return name in self._names

    def _read_again(self) -> None:
        """A file that can't be read changes nothing; one that is gone holds nothing."""
        try:
            status = self._file.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
        except FileNotFoundError:
            self._stamp, self._names = None, frozenset()
            return
        except OSError:
            return
        if stamp != self._stamp:
            try:
                found = domains.load(self._file)
            except DomainsError:
                return
            self._stamp, self._names = stamp, frozenset(one.name for one in found.values() if one.verified)
