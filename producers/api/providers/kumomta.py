"""KumoMTA's log records, from its HTTP log hook or its Kafka log topic: a record, an array, or one a line. Pure.

The logger is configured to give the headers X-Sendtrail-… (docs/providers.md); `meta` is looked at too.
"""

from typing import Any

import msgspec

from producers.api.body import Refusal
from producers.api.providers.doors import Door
from producers.api.providers.found import Call, Found, Happening, Rejected, mapping, moment, seconds, text, unknown_type
from producers.smtp_reasons import HARD, reason_of
from sendtrail.events import BounceReason, Kind

NAME = "kumomta"

_KINDS: dict[str, Kind] = {
    "Reception": "sent", "Delivery": "delivered", "TransientFailure": "deferred", "Delayed": "deferred",
    "Bounce": "bounced", "OOB": "bounced", "Expiration": "bounced", "AdminBounce": "rejected",
    "Feedback": "complained",
}  # fmt: skip
#: Classes of KumoMTA's classifier, by its IANA rules and names in use.
_CLASSES: dict[str, BounceReason] = {
    "InvalidRecipient": "unknown_user", "BadDestinationMailboxAddress": "unknown_user",
    "InactiveMailbox": "unknown_user", "InvalidSender": "policy", "DNSFailure": "unreachable",
    "BadDomain": "invalid_domain", "QuotaIssues": "mailbox_full",
    "SpamBlock": "spam", "SpamContent": "spam", "VirusBlock": "spam", "PolicyRelated": "policy",
    "BadConnection": "unreachable", "NoAnswerFromHost": "unreachable", "RoutingErrors": "unreachable",
    "RelayDenied": "refused", "MessageExpired": "unreachable", "AuthenticationFailed": "policy",
}  # fmt: skip


def parse(call: Call, door: Door) -> list[Found] | Refusal:
    """Check who calls, then read the records."""
    refused = door.refusal(call)
    if refused is not None:
        return refused
    return records(call.body)


def records(body: bytes) -> list[Found]:
    """The findings of log records, whoever sent them."""
    return [finding(item) for item in _items(body)]


def _items(body: bytes) -> list[Any]:
    """One JSON value, or one a line; a line that is none stays what it is."""
    try:
        whole = msgspec.json.decode(body)
        return whole if isinstance(whole, list) else [whole]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return [_line(line) for line in body.split(b"\n") if line.strip()]


def _line(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return line


def finding(item: Any) -> Found:
    if not isinstance(item, dict):
        return Rejected("undecodable", "a log record is an object", item)
    name, time_ms = text(item.get("type")), _time(item)
    kind = _KINDS.get(name)
    feedback = mapping(item.get("feedback_report"))
    if kind is None or (name == "Feedback" and text(feedback.get("feedback_type")) not in ("abuse", "fraud", "virus")):
        return unknown_type(item, name, time_ms)
    reason, diagnostic = _why(kind, item)
    return Happening(
        kind, time_ms, item, _metadata(item, feedback), email=_recipient(item), reason=reason, diagnostic=diagnostic,
    )  # fmt: skip


def _time(item: dict[str, Any]) -> int | None:
    """Of the record, with its fraction where this version logs it."""
    exact = moment(item.get("event_time"))
    return seconds(item.get("timestamp")) if exact is None else exact


def _metadata(item: dict[str, Any], feedback: Any) -> dict[str, object]:
    """From meta and headers; of a complaint, from the headers of the message that came back with it."""
    returned = {}
    for line in text(feedback.get("original_message")).splitlines():
        name, colon, value = line.partition(":")
        if not line.strip():
            break
        if colon and name.lower().startswith("x-sendtrail-"):
            returned[name] = value.strip()
    return {**returned, **mapping(item.get("meta")), **mapping(item.get("headers"))}


def _recipient(item: dict[str, Any]) -> str:
    recipient = item.get("recipient")
    return text(recipient[0] if isinstance(recipient, list) and recipient else recipient)


def _why(kind: Kind, item: dict[str, Any]) -> tuple[BounceReason | None, str]:
    if kind not in ("bounced", "deferred", "rejected"):
        return None, ""
    response = mapping(item.get("response"))
    code, content = mapping(response.get("enhanced_code")), text(response.get("content"))
    status = ".".join(text(code.get(part)) for part in ("class", "subject", "detail")) if code else ""
    digits = text(response.get("code"))
    said = reason_of(content, status or digits)
    classed = _CLASSES.get(text(item.get("bounce_classification")))
    if classed in HARD and kind == "deferred":
        classed = None
    answer = " ".join(part for part in (digits, status, content) if part)
    return (classed if classed is not None and said not in HARD else said), answer
