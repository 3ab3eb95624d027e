"""One connection to a server of the line, kept open, that tells a request never sent from one without an answer."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import NamedTuple

TIMEOUT_S = 60.0


class NotSent(Exception):
    """The server could not be reached: it has not seen the request."""


class NoAnswer(Exception):
    """The request may have been seen; no answer came."""


class Answer(NamedTuple):
    """Status and body."""

    status: int
    body: bytes


class Connection:
    """A client of one loopback port, for one thread."""

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """One request. Raises NotSent, NoAnswer; the next one begins on a new connection then."""
        try:
            if self._http.sock is None:
                self._http.connect()
        except OSError as error:
            self._http.close()
            raise NotSent(str(error)) from error
        try:
            self._http.request(method, path, body, dict(headers))
            answer = self._http.getresponse()
            return Answer(answer.status, answer.read())
        except (OSError, http.client.HTTPException) as error:
            self._http.close()
            raise NoAnswer(str(error) or type(error).__name__) from error

    def close(self) -> None:
        """End the connection."""
        self._http.close()
