"""Mails as mail servers send them back: reports of delivery status and of complaints."""

from __future__ import annotations

from sendtrail.links import Link, mint, url_of
from sendtrail.provider_metadata import HEADERS
from tests.support.golden import golden_keyring

KEYRING = golden_keyring()
BASE = "https://track.shop.example"
DATE = "Mon, 21 Sep 2026 13:33:10 +0000"
DATE_MS = 1_789_997_590_000


def link(delivery: int = 7, message: int = 8, kind: str = "click") -> str:
    """A signed link of a message to recipient 9."""
    made = Link(kind, delivery, message, 9, 1, 1, "https://shop.example/" if kind == "click" else "")  # type: ignore[arg-type]
    return url_of(BASE, made.kind, mint(KEYRING.active, made))


def sent(headers: dict[str, str] | None = None, text: str = "Hello") -> str:
    """A message as it went out."""
    lines = [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(["From: news@shop.example", "Subject: Spring", *lines, "", text, ""])


def ours() -> dict[str, str]:
    """The headers of message 8 of delivery 7 to recipient 9."""
    return {HEADERS[f"sendtrail_{name}"]: str(key) for name, key in (("delivery", 7), ("message", 8), ("recipient", 9))}


def bounce(
    returned: str,
    action: str = "failed",
    status: str = "5.1.1",
    answer: str = "smtp; 550 5.1.1 no such user",
    to: str = "bounce@shop.example",
    returned_type: str = "message/rfc822",
    when: str = DATE,
    ident: str = "<report-1@mx.example>",
    more: str = "",
) -> bytes:
    """A report of delivery status (RFC 3464)."""
    return f"""From: MAILER-DAEMON@mx.example\r
To: {to}\r
Subject: Undelivered Mail Returned to Sender\r
Date: {DATE}\r
Message-ID: {ident}\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"\r
\r
--b1\r
Content-Type: text/plain; charset=us-ascii\r
\r
This is the mail system at host mx.example.\r
--b1\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx.example\r
Arrival-Date: Mon, 21 Sep 2026 13:00:00 +0000\r
\r
Final-Recipient: rfc822; anna@mail.example\r
Original-Recipient: rfc822;anna@mail.example\r
Action: {action}\r
Status: {status}\r
Diagnostic-Code: {answer}\r
Last-Attempt-Date: {when}\r
{more}\r
--b1\r
Content-Type: {returned_type}\r
\r
{returned}\r
--b1--\r
""".encode()


def complaint(returned: str, kind: str = "abuse") -> bytes:
    """A feedback report (RFC 5965)."""
    return f"""From: feedback@mail.example\r
To: fbl@shop.example\r
Date: {DATE}\r
Message-ID: <complaint-1@mail.example>\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=feedback-report; boundary="b2"\r
\r
--b2\r
Content-Type: text/plain\r
\r
This is an email abuse report.\r
--b2\r
Content-Type: message/feedback-report\r
\r
Feedback-Type: {kind}\r
User-Agent: SomeGenerator/1.0\r
Version: 1\r
Original-Rcpt-To: <anna@mail.example>\r
Arrival-Date: {DATE}\r
\r
--b2\r
Content-Type: text/rfc822-headers\r
\r
{returned}\r
--b2--\r
""".encode()
