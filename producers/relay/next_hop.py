"""One mail -> the next hop, over one connection of its own."""

import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from producers.relay.answer import Answer, Passed
from sendtrail.errors import SettingsError
from sendtrail.settings import RelaySettings

_QUIT_S = 2.0
_DOT = re.compile(rb"^\.", re.MULTILINE)
_DISCONNECTED = (smtplib.SMTPServerDisconnected, OSError)


class Envelope(NamedTuple):
    """What goes beside the content: sender (empty for bounces), recipient, and whether UTF-8 was asked for."""

    sender: str
    recipient: str
    utf8: bool = False


class NextHop:
    """The one server that mail is passed on to. Safe to share between threads."""

    def __init__(self, settings: RelaySettings, hostname: str) -> None:
        """Raises SettingsError for an address or a log-in that can't be used."""
        self._host, _, port = settings.next_hop.strip().rpartition(":")
        if not self._host or not port.isdigit() or not 0 < int(port) < 65536:
            raise SettingsError(f"relay.next_hop is host:port of the server to pass mail on to, not {port!r}")
        if settings.next_hop_user and settings.next_hop_tls == "off":
            raise SettingsError("relay.next_hop_user takes relay.next_hop_tls: a password is not sent in the clear")
        self._host, self._port = self._host.strip("[]"), int(port)
        self._tls = settings.next_hop_tls
        self._user, self._password = settings.next_hop_user, settings.secret()
        self._timeout_s = settings.next_hop_timeout_s
        self._hostname = hostname
        self._context = None if self._tls == "off" else _context(settings)

    def send(self, envelope: Envelope, content: bytes) -> Passed:
        """Pass one mail on. Never raises: a server that is away, slow or confused is `deferred`, or `unknown`."""
        try:
            server = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            return Passed("deferred", Answer(451, f"4.4.1 the next hop can't be reached: {_said(error)}"))
        try:
            return self._transact(server, envelope, content)
        except _DISCONNECTED as error:
            return Passed("deferred", Answer(451, f"4.4.2 the next hop went away: {_said(error)}"))
        except smtplib.SMTPException as error:
            return Passed("deferred", Answer(451, f"4.5.0 the next hop: {_said(error)}"))
        finally:
            _quit(server)

    def _connect(self) -> smtplib.SMTP:
        server: smtplib.SMTP
        if self._tls == "tls":
            server = smtplib.SMTP_SSL(
                self._host, self._port, self._hostname, timeout=self._timeout_s, context=self._context
            )
        else:
            server = smtplib.SMTP(self._host, self._port, self._hostname, timeout=self._timeout_s)
        try:
            if self._tls == "starttls":
                server.starttls(context=self._context)
            server.ehlo_or_helo_if_needed()
            if self._user:
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        return server

    def _transact(self, server: smtplib.SMTP, envelope: Envelope, content: bytes) -> Passed:
        options = _options(server, envelope, content)
        if isinstance(options, Answer):
            return Passed("refused", options)
        steps: tuple[tuple[Callable[[], tuple[int, bytes]], tuple[int, ...]], ...] = (
            (lambda: server.mail(envelope.sender, options), (250,)),
            (lambda: server.rcpt(envelope.recipient), (250, 251)),
            (lambda: server.docmd("DATA"), (354,)),
        )
        for step, wanted in steps:
            code, text = step()
            if code not in wanted:
                return _not_accepted(code, text)
        # What can't be handed to the system in full lacks its last line, the dot: then nothing was accepted.
        server.send(_dotted(content))
        try:
            code, text = server.getreply()
        except (smtplib.SMTPException, OSError) as error:
            return Passed("unknown", Answer(451, f"4.4.2 the next hop went away before its answer: {_said(error)}"))
        if 200 <= code < 300:
            return Passed("accepted", Answer(code, _text(text)))
        return _not_accepted(code, text)


def _context(settings: RelaySettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.next_hop_ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"relay.next_hop_ca_file can't be used: {error}") from error


def _options(server: smtplib.SMTP, envelope: Envelope, content: bytes) -> list[str] | Answer:
    """The parameters of MAIL, or why the next hop can't take such a mail."""
    options = []
    if server.has_extn("size"):
        options.append(f"SIZE={len(content)}")
    if not content.isascii():
        if not server.has_extn("8bitmime"):
            return Answer(554, "5.6.3 the next hop takes no 8-bit mail")
        options.append("BODY=8BITMIME")
    if envelope.utf8 or not (envelope.sender + envelope.recipient).isascii():
        if not server.has_extn("smtputf8"):
            return Answer(553, "5.6.7 the next hop takes no addresses or headers in UTF-8")
        options.append("SMTPUTF8")
    return options


def _not_accepted(code: int, text: bytes) -> Passed:
    """The next hop's own answer; what is neither a 4xx nor a 5xx, and the end of its connection, is `try again`."""
    if 500 <= code < 600:
        return Passed("refused", Answer(code, _text(text)))
    return Passed("deferred", Answer(code if 400 <= code < 500 and code != 421 else 451, _text(text)))


def _dotted(content: bytes) -> bytes:
    """The content with its dots doubled and its end (RFC 5321, 4.5.2)."""
    ended = content if content.endswith(b"\r\n") or not content else content + b"\r\n"
    return _DOT.sub(b"..", ended) + b".\r\n"


def _text(text: bytes) -> str:
    return "\n".join(
        "".join(c if c.isprintable() else "?" for c in line) for line in text.decode("utf-8", "replace").split("\n")
    )


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _quit(server: smtplib.SMTP) -> None:
    with suppress(smtplib.SMTPException, OSError):
        if server.sock is not None:
            server.sock.settimeout(_QUIT_S)
            server.quit()
    server.close()
