"""A mail that came back -> what it reports: delivery status (RFC 3464) or feedback (RFC 5965). Pure.

Mails come from strangers: nothing here is trusted, everything is bounded, and `read` gives a value whatever the bytes.
"""

from collections.abc import Iterator
from datetime import UTC
from email import policy
from email.message import Message
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import NamedTuple

from producers.mta.told import Told
from producers.smtp_reasons import reason_of
from sendtrail.events import BounceReason, FeedKind, RejectReason

MAX_MAIL_BYTES = 10 * 1024 * 1024
_MOST_PARTS = 200
_MOST_RECIPIENTS = 100
_KEPT_ORIGINAL = 16 * 1024

_ACTIONS: dict[str, FeedKind] = {
    "failed": "bounced", "delayed": "deferred", "delivered": "delivered", "relayed": "delivered",
    "expanded": "delivered",
}  # fmt: skip
_FEEDBACK: dict[str, FeedKind] = {
    "abuse": "complained", "fraud": "complained", "virus": "complained", "opt-out": "unsubscribed",
}  # fmt: skip
_STATUS = ("message/delivery-status", "message/global-delivery-status")
_RETURNED = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")


class Outcome(NamedTuple):
    """What a report says of one recipient."""

    kind: FeedKind
    time_ms: int | None
    email: str
    reason: BounceReason | None
    diagnostic: str


class Report(NamedTuple):
    """A report: an id of its own, its outcomes, the message that came back, and the addresses it was sent to."""

    id: str
    outcomes: list[Outcome]
    returned: Message | None
    addressed: list[str]


class Unreadable(NamedTuple):
    """A mail that is no report, or none that can be read."""

    reason: RejectReason
    detail: str


def read(mail: bytes) -> Report | Unreadable:
    """Never raises."""
    if len(mail) > MAX_MAIL_BYTES:
        return Unreadable("too_large", f"{len(mail)} bytes, at most {MAX_MAIL_BYTES} are read")
    try:
        return _report(mail)
    except Exception as error:  # the parser of the standard library fails in many ways on mails made for that
        return Unreadable("undecodable", f"{type(error).__name__}: {error}"[:500])


def told_of_unreadable(mail: bytes, why: Unreadable) -> Told:
    """For a mail that is no report: kept as a reject, with its beginning."""
    time_ms = None
    try:
        time_ms = _date(_parsed(mail[:_KEPT_ORIGINAL]))
    except Exception:  # as above
        time_ms = None
    return Told(refused=why.reason, diagnostic=why.detail, time_ms=time_ms, original=original(mail))


def original(mail: bytes) -> str:
    """What is kept of a mail that can't be attributed: its beginning, as text."""
    return mail[:_KEPT_ORIGINAL].decode("utf-8", "replace")


def _parsed(mail: bytes) -> Message:
    return BytesParser(policy=policy.compat32).parsebytes(mail)


def _report(mail: bytes) -> Report | Unreadable:
    message = _parsed(mail)
    parts = list(_parts(message))
    status = next((part for part in parts if part.get_content_type() in _STATUS), None)
    feedback = next((part for part in parts if part.get_content_type() == "message/feedback-report"), None)
    if status is not None:
        outcomes = list(_statuses(status, message))
    elif feedback is not None:
        outcomes = _complaint(feedback, message)
    else:
        return Unreadable("unknown_type", "no report of delivery status (RFC 3464) or feedback (RFC 5965) in it")
    if not outcomes:
        return Unreadable("unknown_type", "the report names no recipient, or says something that has no counterpart")
    identity = header(message, "Message-ID") or sha256(mail).hexdigest()
    returned = next((part for part in parts if part.get_content_type() in _RETURNED), None)
    return Report(identity[:200], outcomes, _inner(returned), _addressed(message))


def _parts(message: Message) -> Iterator[Message]:
    """Parts from the outside in, not into the message that came back: what a stranger wrote there is no report."""
    waiting, seen = [message], 0
    while waiting and seen < _MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        yield part
        if part.get_content_maintype() == "multipart":
            waiting += _inside(part)


def _inner(part: Message | None) -> Message | None:
    """The message that came back, whole or its headers."""
    if part is None:
        return None
    if part.is_multipart():
        return next(iter(_inside(part)), None)
    return _parsed(_bytes(part))


def _inside(part: Message) -> list[Message]:
    """The messages a part holds; none where it holds text."""
    payload = part.get_payload()
    return [one for one in payload if isinstance(one, Message)] if isinstance(payload, list) else []


def _statuses(part: Message, message: Message) -> Iterator[Outcome]:
    for block in _blocks(part)[: _MOST_RECIPIENTS + 1]:
        kind = _ACTIONS.get(header(block, "Action").split(" ")[0].lower())
        if kind is None:  # the block about the message, or an action of a later time
            continue
        answer, status = _after_type(header(block, "Diagnostic-Code")), header(block, "Status")
        email = _after_type(header(block, "Original-Recipient")) or _after_type(header(block, "Final-Recipient"))
        reason = reason_of(answer, status) if kind in ("bounced", "deferred") else None
        when = _time(header(block, "Last-Attempt-Date"))
        yield Outcome(kind, _date(message) if when is None else when, email, reason, f"{status} {answer}".strip())


def _blocks(part: Message) -> list[Message]:
    """Blocks of fields. The parser splits only the plain kind: neither RFC 6533's nor one that is encoded."""
    inside, encoding = _inside(part), header(part, "Content-Transfer-Encoding").lower()
    encoded = encoding in ("base64", "quoted-printable")
    if inside and not encoded and part.get_content_type() == _STATUS[0]:
        return inside
    whole = part
    if inside:
        whole = Message()
        whole["Content-Transfer-Encoding"] = encoding
        whole.set_payload(b"\n".join(one.as_bytes() for one in inside).decode("ascii", "surrogateescape"))
    texts = _bytes(whole).replace(b"\r\n", b"\n").strip().split(b"\n\n")
    return [_parsed(text.lstrip()) for text in texts[: _MOST_RECIPIENTS + 1] if text.strip()]


def _complaint(part: Message, message: Message) -> list[Outcome]:
    inside = _inside(part)
    fields = inside[0] if inside else _parsed(_bytes(part))
    kind = _FEEDBACK.get(header(fields, "Feedback-Type").lower())
    if kind is None:
        return []
    when = _time(header(fields, "Arrival-Date") or header(fields, "Received-Date"))
    email = header(fields, "Original-Rcpt-To").strip("<> ")
    return [Outcome(kind, _date(message) if when is None else when, email, None, header(fields, "User-Agent"))]


def _bytes(part: Message) -> bytes:
    raw = part.get_payload(decode=True)
    return raw if isinstance(raw, bytes) else b""


def header(message: Message, name: str) -> str:
    """A header's text on one line, "" where there is none."""
    value = next((str(raw) for given, raw in message.raw_items() if given.lower() == name.lower()), "")
    # Bytes that are no ASCII: UTF-8 in internationalised mail (RFC 6532).
    return " ".join(value.encode("utf-8", "surrogateescape").decode("utf-8", "replace").split())[:2048]


def _after_type(field: str) -> str:
    """`rfc822; a@b.example` -> `a@b.example`."""
    kind, semicolon, rest = field.partition(";")
    return (rest if semicolon else kind).strip()


def _date(message: Message) -> int | None:
    return _time(header(message, "Date"))


def _time(text: str) -> int | None:
    try:
        found = parsedate_to_datetime(text) if text else None
        if found is None:
            return None
        return max(0, round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000))
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _addressed(message: Message) -> list[str]:
    names = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
    return [value for name in names if (value := header(message, name))]
