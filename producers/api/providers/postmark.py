"""Postmark's webhooks: one record each, told by RecordType. They aren't signed: see doors.py. Pure."""

from typing import Any

from producers.api.body import Refusal
from producers.api.providers.doors import Door
from producers.api.providers.found import Call, Found, Happening, Rejected, json_of, mapping, moment, text, unknown_type
from producers.smtp_reasons import reason_of
from sendtrail.events import BounceReason, Kind

NAME = "postmark"

#: Postmark's types of bounces. What is not here is read from the server's words, and soft.
_BOUNCES: dict[str, BounceReason] = {
    "HardBounce": "unknown_user", "BadEmailAddress": "unknown_user", "DnsError": "unreachable",
    "SpamNotification": "spam", "VirusNotification": "spam", "Blocked": "policy", "DMARCPolicy": "policy",
    "ManuallyDeactivated": "policy",
}  # fmt: skip
_TEMPORARY = ("Transient",)
#: Mails that came back and are no bounces: the message was delivered.
_NO_BOUNCES = ("AutoResponder", "ChallengeVerification", "Unsubscribe", "Subscribe", "AddressChange", "OpenRelayTest")
_NEVER_SENT = ("SMTPApiError", "TemplateRenderingFailed", "InboundError", "Unconfirmed")


def parse(call: Call, door: Door) -> list[Found] | Refusal:
    """Check who calls, then read the record."""
    refused = door.refusal(call)
    if refused is not None:
        return refused
    body = json_of(call.body)
    if isinstance(body, Refusal):
        return body
    return [finding(item) for item in (body if isinstance(body, list) else [body])]


def finding(item: Any) -> Found:
    if not isinstance(item, dict):
        return Rejected("undecodable", "a record is an object", item)
    name = text(item.get("RecordType"))
    if name == "Bounce":
        return _bounce(item)
    if name == "SubscriptionChange":
        return _subscription(item)
    shapes: dict[str, tuple[Kind, str, str]] = {
        "Delivery": ("delivered", "DeliveredAt", "Recipient"),
        "SpamComplaint": ("complained", "BouncedAt", "Email"),
        "Open": ("open", "ReceivedAt", "Recipient"),
        "Click": ("click", "ReceivedAt", "Recipient"),
    }
    if name not in shapes:
        return unknown_type(item, name)
    kind, time, email = shapes[name]
    return Happening(
        kind,
        moment(item.get(time)),
        item,
        mapping(item.get("Metadata")),
        email=text(item.get(email)),
        user_agent=text(item.get("UserAgent")),
        address=text(mapping(item.get("Geo")).get("IP")),
        url=text(item.get("OriginalLink")),
    )


def _bounce(item: dict[str, Any]) -> Found:
    name, time_ms = text(item.get("Type")), moment(item.get("BouncedAt"))
    words = text(item.get("Details")) or text(item.get("Description"))
    said = reason_of(words)
    kind: Kind = "bounced"
    if name in _NO_BOUNCES:
        return unknown_type(item, f"Bounce {name}", time_ms)
    if name in _TEMPORARY:
        kind = "deferred"
    elif name in _NEVER_SENT:
        kind = "rejected"
    reason = _BOUNCES.get(name, said if said not in ("unknown_user", "invalid_domain") else "other")
    if name == "HardBounce" and said == "invalid_domain":
        reason = said
    return Happening(
        kind, time_ms, item, mapping(item.get("Metadata")), id=text(item.get("ID")), email=text(item.get("Email")),
        reason=reason, diagnostic=words,
    )  # fmt: skip


def _subscription(item: dict[str, Any]) -> Found:
    """An address was put on the list of suppressions. Those by bounce or complaint have their own records."""
    time_ms = moment(item.get("ChangedAt"))
    if item.get("SuppressSending") is not True or text(item.get("SuppressionReason")) != "ManualSuppression":
        return unknown_type(item, "SubscriptionChange that is no unsubscription", time_ms)
    metadata = mapping(item.get("Metadata"))
    return Happening("unsubscribed", time_ms, item, metadata, email=text(item.get("Recipient")))
