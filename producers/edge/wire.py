"""Replies -> bytes of HTTP/1.1."""

from email.utils import formatdate
from http import HTTPStatus

from producers.edge.replies import Reply

_NOT_CACHED = (
    b"Cache-Control: no-store, no-cache, must-revalidate, max-age=0, private\r\n"
    b"Pragma: no-cache\r\nExpires: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
)
_STATUS_LINES = {
    status.value: b"HTTP/1.1 %d %s\r\nDate: " % (status.value, status.phrase.encode()) for status in HTTPStatus
}

KEEP = b""
CLOSE = b"Connection: close\r\n"
KEEP_ALIVE = b"Connection: keep-alive\r\n"  # said to HTTP/1.0 clients that asked for it
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BODILESS = frozenset((204, 304))  # no length is said of what can't be (RFC 9110 §8.6)


class Wire:
    """Makes answers for one second after another: date and constant replies are made once a second."""

    def __init__(self) -> None:
        self._until_ms = 0
        self._date = b""
        self._made: dict[tuple[int, bytes, bool], bytes] = {}

    def encode(self, reply: Reply, connection: bytes, with_body: bool, now_ms: int) -> bytes:
        """A whole answer. `connection`: KEEP, CLOSE or KEEP_ALIVE; `with_body` false for HEAD."""
        if now_ms >= self._until_ms or now_ms < self._until_ms - 1000:
            self._new_second(now_ms)
        if not reply.constant:
            return self._encode(reply, connection, with_body)
        key = (id(reply), connection, with_body)
        made = self._made.get(key)
        if made is None:
            made = self._made[key] = self._encode(reply, connection, with_body)
        return made

    def _encode(self, reply: Reply, connection: bytes, with_body: bool) -> bytes:
        content = b"Content-Type: " + reply.content_type + b"\r\n" if reply.content_type else b""
        length = b"" if reply.status in _BODILESS else b"Content-Length: %d\r\n" % len(reply.body)
        parts = (
            _STATUS_LINES[reply.status], self._date, content, length, reply.caching or _NOT_CACHED, reply.headers,
            connection, b"\r\n", reply.body if with_body else b"",
        )  # fmt: skip
        return b"".join(parts)

    def _new_second(self, now_ms: int) -> None:
        second = now_ms // 1000
        self._until_ms = (second + 1) * 1000
        self._date = formatdate(second, usegmt=True).encode() + b"\r\n"
        self._made.clear()
