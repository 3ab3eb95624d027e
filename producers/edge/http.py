"""One HTTP/1.1 connection: bytes -> requests -> answers in the order of the requests.

The parser is httptools (llhttp); this adapter adds limits (RFC 9110 §15.5) and keeps pipelined answers in order.
An answer is queued here and leaves when what came in with it, in one turn of the event loop, is in the spool.
"""

import asyncio
from typing import TYPE_CHECKING, cast

import httptools

from producers.edge import replies, wire
from producers.edge.addresses import normal_address
from producers.edge.limits import LINGER_S
from producers.edge.proxy_protocol import Malformed, Unfinished, read_preface
from producers.edge.replies import Reply
from producers.edge.request import WANTED, WANTED_FOR_PIXELS, Request

if TYPE_CHECKING:
    from producers.edge.server import EdgeServer

#: The parser is given at most this many bytes at once, so that an endless head or body is noticed in time.
SLICE_BYTES = 4096
#: With more answers than this in one turn a client is not read on before the turn has ended.
MAX_ANSWERS = 64


class Connection(asyncio.Protocol):
    """One client. Between requests `url` is empty; when `closing` no more of them are read."""

    __slots__ = (
        "_body", "_body_begun", "_expects", "_fresh", "_headers", "_keep", "_limits", "_lingering", "_out", "_parser",
        "_partial_bytes", "_peer", "_preface", "_queued", "_server", "_since", "_transport", "_unread", "_url",
        "_wanted", "closing",
    )  # fmt: skip

    def __init__(self, server: "EdgeServer") -> None:
        self._server = server
        self._limits = server.limits
        self._transport = cast("asyncio.Transport", None)  # from connection_made on
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self._peer = ""
        self._preface: bytes | None = None  # what has come of the header in which a proxy says who connects
        self._since = server.now  # of the request being received, else of the last answer
        self._keep: bytes | None = None  # what an answer says so that the connection is kept
        self._wanted = WANTED
        self._out: list[bytes] = []
        self._queued = self._lingering = self._fresh = self._unread = self.closing = False
        self._next_request()

    def _next_request(self) -> None:
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._body = b""
        self._body_begun = self._expects = False
        self._partial_bytes = 0

    @property
    def idle(self) -> bool:
        """True where no request is being received and no answer is on its way."""
        return not self._url and not self._queued

    def idle_s(self, now: float) -> float:
        """Seconds since the last answer; 0 where one is on its way or the connection is being closed."""
        return now - self._since if self.idle and not self.closing else 0.0

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        self._peer = (normal_address(str(peer[0])) or "") if peer else ""
        proxied = self._limits.proxy_protocol and self._server.known.proxies.trusts(self._peer)
        if proxied:
            self._preface = b""
        if self._server.admit(self) and not proxied:
            self._server.admit_from(self, self._peer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closing = True
        self._parser = None
        self._server.forget(self)

    def eof_received(self) -> bool:
        """The client sends no more; what it asked for is still answered before the connection is closed."""
        self.closing = True
        return self._queued

    def pause_writing(self) -> None:
        """A client that does not read its answers is not read either."""
        self._unread = True
        self._read_on(False)

    def resume_writing(self) -> None:
        self._unread = False
        self._read_on(True)

    def _read_on(self, wanted: bool) -> None:
        if self._transport.is_closing():
            return
        if wanted:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        if self._preface is not None:
            data = self._after_preface(self._preface + data)
        if len(data) <= SLICE_BYTES:
            self._feed(data)
            return
        for start in range(0, len(data), SLICE_BYTES):
            self._feed(data[start : start + SLICE_BYTES])
        if len(self._out) > MAX_ANSWERS:
            self._read_on(False)

    def _after_preface(self, data: bytes) -> bytes:
        """Take the proxy's header off the first bytes; what is left belongs to requests."""
        found = read_preface(data)
        if isinstance(found, Unfinished):
            self._preface = data
            return b""
        self._preface = None
        if isinstance(found, Malformed):
            self._server.count_refused("bad_proxy_header")
            self.abort()
            return b""
        if found.address is not None:
            self._peer = found.address
            self._server.admit_from(self, found.address)
        return data[found.end :]

    def _feed(self, data: bytes) -> None:
        parser = self._parser
        if self.closing or parser is None:
            return
        self._fresh = False
        try:
            parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            # No other protocol is spoken here: the wish is ignored (RFC 9110 §7.8), the request is answered.
            self._parser = httptools.HttpRequestParser(self)
            self._feed(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError:
            self._refuse(replies.BAD_REQUEST, "malformed")
        if self._url:
            self._check_partial(len(data))

    def _check_partial(self, size: int) -> None:
        """After input that ends inside a request. The slice a request began in is not counted: it may hold others."""
        if not self._fresh:
            self._partial_bytes += size
        if self._body_begun:
            if self._partial_bytes > self._limits.max_head_bytes + self._limits.max_body_bytes:
                self._refuse(replies.BODY_TOO_LARGE, "body_too_large")
        elif self._partial_bytes > self._limits.max_head_bytes:
            if len(self._url) > self._limits.max_head_bytes // 2:
                self._refuse(replies.TARGET_TOO_LONG, "target_too_long")
            else:
                self._refuse(replies.HEAD_TOO_LARGE, "head_too_large")
        if self._expects and not self.closing:
            self._expects = False
            self._queue(wire.CONTINUE)

    # What the parser calls

    def on_url(self, url: bytes) -> None:
        if not self._url:
            self._fresh = True
            self._since = self._server.now
        self._url += url
        self._wanted = WANTED_FOR_PIXELS if self._url.startswith(b"/o/") else WANTED

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name not in self._wanted or self._body_begun:
            return
        if name == b"content-length" and value.isdigit() and int(value) > self._limits.max_body_bytes:
            self._refuse(replies.BODY_TOO_LARGE, "body_too_large")
        elif name == b"expect":
            self._expects = value.lower() == b"100-continue"
        earlier = self._headers.get(name)
        self._headers[name] = value if earlier is None else earlier + b"," + value

    def on_chunk_header(self) -> None:
        """From here on a header is a trailer, which nobody may use to say where a request comes from."""
        self._body_begun = True

    def on_body(self, body: bytes) -> None:
        self._body_begun = True
        if len(self._body) + len(body) > self._limits.max_body_bytes:
            self._refuse(replies.BODY_TOO_LARGE, "body_too_large")
        elif not self.closing:
            self._body += body

    def on_message_complete(self) -> None:
        parser, server = self._parser, self._server
        if parser is None or self.closing:
            return
        method = parser.get_method()
        reply = server.answer(Request(method, self._url.decode("latin-1"), self._peer, self._headers, self._body))
        if not parser.should_keep_alive() or server.draining or reply.status == 405:
            connection, self.closing = wire.CLOSE, True
        else:
            if self._keep is None:  # asked once: a client does not change its version
                self._keep = wire.KEEP_ALIVE if parser.get_http_version() == "1.0" else wire.KEEP
            connection = self._keep
        self._queue(server.wire.encode(reply, connection, method != b"HEAD", server.now_ms))
        self._since = server.now
        self._next_request()

    # What leaves

    def _queue(self, data: bytes) -> None:
        self._out.append(data)
        if not self._queued:
            self._queued = True
            self._server.queue(self)

    def _refuse(self, reply: Reply, reason: str) -> None:
        """Answer what can't be taken as a request, and read no more of this client."""
        if self.closing:
            return
        self.closing = self._lingering = True
        self._server.count_refused(reason)
        self._queue(self._server.wire.encode(reply, wire.CLOSE, True, self._server.now_ms))

    def release(self) -> None:
        """Send what is queued: it is in the spool now."""
        out, self._out, self._queued = self._out, [], False
        self._transport.write(out[0] if len(out) == 1 else b"".join(out))
        if len(out) > MAX_ANSWERS and not self._unread:
            self._read_on(True)
        if not self.closing:
            return
        if self._lingering and self._transport.can_write_eof():
            self._since = self._server.now
            self._transport.write_eof()
        else:
            self._transport.close()

    def close(self) -> None:
        """End the connection without another answer."""
        self.closing = True
        self._transport.close()

    def abort(self) -> None:
        """Cut the connection."""
        self.closing = True
        self._transport.abort()

    def expire(self, now: float) -> None:
        """End what has taken too long: a refused client that goes on, a slow request, an idle connection."""
        age = now - self._since
        if self.closing:
            if age > (LINGER_S if self._lingering else self._limits.idle_timeout_s):
                self.abort()
        elif self._url:
            if age > self._limits.header_timeout_s:
                self._refuse(replies.TIMED_OUT, "timeout")
        elif self._preface is not None and age > self._limits.header_timeout_s:
            self._server.count_refused("timeout")
            self.abort()
        elif age > self._limits.idle_timeout_s:
            if self._transport.get_write_buffer_size():
                self.abort()
            else:
                self.close()
