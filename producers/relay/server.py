"""SMTP in: aiosmtpd with this relay's rules. What a client may not do is refused here, the rest goes to `passing`."""

import asyncio
import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.utils import formatdate

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from producers.relay import next_hop
from producers.relay.access import Access
from producers.relay.answer import NOT_NOW
from producers.relay.passing import Passing
from sendtrail.metrics import counter, gauge
from sendtrail.settings import RelaySettings

_MANY = 1_000_000  # commands of one kind in a session; a log-in is another matter
_LOGINS = 5
_BUSY = "421 4.3.2 Too many connections, try again later"
_STOPPING = "421 4.3.2 Shutting down, try again later"
_STRANGERS = 4  # one address that has not logged in holds at most this part of all connections
_POLL_S = 0.02


class RelayProtocol(SMTP):
    """One client's connection."""

    def __init__(self, relay: "Relay", loop: asyncio.AbstractEventLoop) -> None:
        settings = relay.settings
        super().__init__(
            relay,
            data_size_limit=settings.max_message_bytes,
            enable_SMTPUTF8=True,
            hostname=relay.hostname,
            ident="ESMTP Sendtrail",
            tls_context=relay.access.tls,
            timeout=settings.timeout_s,
            auth_require_tls=True,
            authenticator=relay.access.log_in,
            command_call_limit={"AUTH": _LOGINS, "*": _MANY},
            loop=loop,
        )
        self.accepted: bytes | None = None
        #: Of a mail: of any length within its size. aiosmtpd's own limit, a thousand, stays for commands.
        self.line_length_limit = settings.max_message_bytes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection, unless it is the same one gone over to TLS."""
        first = self.transport is None
        peer = transport.get_extra_info("peername") or ("",)
        if first and not self.event_handler.enter(self, str(peer[0])):
            transport.write(f"{_BUSY}\r\n".encode())  # type: ignore[attr-defined]
            transport.abort() if transport.is_closing() else transport.close()  # type: ignore[attr-defined]
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """The client is gone."""
        self.event_handler.leave(self)
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        """Take a mail; once its sender has the answer that it was accepted, the journal may forget it."""
        relay: Relay = self.event_handler
        self.accepted = None
        try:
            with _longer_lines(self._reader, self.line_length_limit):
                await super().smtp_DATA(arg)
            if self.accepted is not None:
                await asyncio.to_thread(relay.passing.answered, self.accepted)
        finally:
            relay.at_work.discard(self)

    def keep(self, seconds: float) -> None:
        """Let the connection live so long without a command: the next hop is at work."""
        self._reset_timeout(seconds)


class Relay:
    """What all connections share; aiosmtpd calls the `handle_` methods."""

    def __init__(self, settings: RelaySettings, access: Access, passing: Passing, hostname: str) -> None:
        self.settings = settings
        self.access = access
        self.passing = passing
        self.hostname = hostname
        self._threads = ThreadPoolExecutor(settings.transfers, "transfer")
        self._open: dict[RelayProtocol, str] = {}
        #: Connections whose mail is being passed on or answered: a stop waits for them.
        self.at_work: set[RelayProtocol] = set()
        self._stopping = False
        self._log = structlog.stdlib.get_logger("relay")
        gauge("sendtrail_relay_connections").set_function(lambda: float(len(self._open)))
        for name in ("mail.log", "mail.debug"):  # aiosmtpd logs addresses and every command
            logging.getLogger(name).setLevel(logging.ERROR)

    async def serve(self, listener: socket.socket, stop: asyncio.Event) -> None:
        """Serve until `stop`; mails that are being passed on are finished, and their senders answered."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: RelayProtocol(self, loop), sock=listener)
        await stop.wait()
        server.close()
        self._stopping = True
        while self.at_work:
            await asyncio.sleep(_POLL_S)
        await loop.run_in_executor(None, self._threads.shutdown)
        for connection in list(self._open):
            if connection.transport is not None:
                connection.transport.close()
        await server.wait_closed()

    def enter(self, connection: RelayProtocol, peer: str) -> bool:
        """Whether one more connection is taken."""
        most = self.settings.max_connections
        of_peer = sum(peer == other for other in self._open.values())
        if len(self._open) >= most or (not self.access.is_known(peer) and of_peer >= max(1, most // _STRANGERS)):
            counter("sendtrail_relay_mails_total").labels("too_many_connections").inc()
            return False
        self._open[connection] = peer
        return True

    def leave(self, connection: RelayProtocol) -> None:
        """It is closed."""
        self._open.pop(connection, None)

    async def handle_EHLO(  # noqa: N802
        self, server: RelayProtocol, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Offer AUTH only where there are users."""
        session.host_name = hostname
        return [line for line in responses if self.access.users is not None or not line.startswith("250-AUTH")]

    async def handle_MAIL(  # noqa: N802
        self, server: RelayProtocol, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take the sender of who may send."""
        peer = str(session.peer[0]) if session.peer else ""
        if not session.authenticated and not self.access.is_known(peer):
            return "530 5.7.0 Authentication required"
        if not _is_text(address):
            return "553 5.1.7 The sender's address is not valid UTF-8"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: RelayProtocol, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take one recipient: each has links of its own, and an answer of its own."""
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient at a time, send to the others in transactions of their own"
        if not _is_text(address):
            return "553 5.1.3 The recipient's address is not valid UTF-8"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: RelayProtocol, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Pass the mail on and give the next hop's answer."""
        if self._stopping:
            return _STOPPING
        self.at_work.add(server)
        sender = "" if envelope.mail_from in (None, "<>") else str(envelope.mail_from)
        onward = next_hop.Envelope(sender, envelope.rcpt_tos[0], bool(envelope.smtp_utf8))
        content = envelope.original_content or b""
        server.keep(self.settings.timeout_s + 8 * self.settings.next_hop_timeout_s)
        # The thread goes on to its end even where the client is gone.
        taking = asyncio.get_running_loop().run_in_executor(
            self._threads, self.passing.take, onward, content, self._trace(session)
        )
        answer, accepted = await taking
        server.accepted = accepted
        wire: str = answer.wire()
        return wire

    async def handle_exception(self, error: Exception) -> str:
        """A fault of ours: the sender keeps the mail."""
        counter("sendtrail_relay_mails_total").labels("failed").inc()
        self._log.error("failed", exc_info=error)
        return NOT_NOW.wire()

    def _trace(self, session: Session) -> bytes:
        """The Received field that a relay adds (RFC 5321, 4.4)."""
        peer = str(session.peer[0]) if session.peer else "unknown"
        told = "".join(c if c.isascii() and (c.isalnum() or c in ".-:[]") else "?" for c in str(session.host_name))[
            :200
        ]
        secure = "S" if session.ssl else ""
        known = "A" if session.authenticated else ""
        protocol = f"ESMTP{secure}{known}" if session.extended_smtp else "SMTP"
        line = f"Received: from {told} ([{peer}])\r\n\tby {self.hostname} (Sendtrail) with {protocol};\r\n\t"
        return (line + formatdate() + "\r\n").encode()


@contextmanager
def _longer_lines(reader: asyncio.StreamReader, limit: int) -> Iterator[None]:
    """Lines of a mail may be long; a command never, or a client that has not logged in could fill the memory."""
    usual = reader._limit  # type: ignore[attr-defined]
    reader._limit = limit  # type: ignore[attr-defined]
    try:
        yield
    finally:
        reader._limit = usual  # type: ignore[attr-defined]


def _is_text(address: str) -> bool:
    try:
        address.encode()
    except UnicodeEncodeError:
        return False
    return True
