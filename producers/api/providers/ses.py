"""Amazon SES's events in a verified message of SNS -> what happened to each recipient. Pure.

Event publishing (`eventType`, with message tags) and feedback notifications (`notificationType`, with headers).
"""

from collections.abc import Iterable
from typing import Any

from producers.api.providers.found import (
    Found,
    Happening,
    Rejected,
    json_of,
    mapping,
    moment,
    ours,
    text,
    unknown_type,
)
from producers.api.providers.sns import Envelope
from producers.smtp_reasons import reason_of
from sendtrail.events import BounceReason, Kind

NAME = "ses"

_KINDS: dict[str, tuple[Kind, str]] = {
    "Send": ("sent", "send"), "Delivery": ("delivered", "delivery"), "DeliveryDelay": ("deferred", "deliveryDelay"),
    "Bounce": ("bounced", "bounce"), "Complaint": ("complained", "complaint"), "Reject": ("rejected", "reject"),
    "Rendering Failure": ("rejected", "failure"), "Open": ("open", "open"), "Click": ("click", "click"),
    "Subscription": ("unsubscribed", "subscription"),
}  # fmt: skip
#: Where the event has recipients of its own.
_RECIPIENTS = {"bounce": "bouncedRecipients", "deliveryDelay": "delayedRecipients"}
#: Types and subtypes of bounces that say more than the server's answer.
_SUBTYPES: dict[str, BounceReason] = {
    "NoEmail": "unknown_user", "MailboxFull": "mailbox_full", "MessageTooLarge": "policy", "ContentRejected": "spam",
    "AttachmentRejected": "policy", "Suppressed": "unknown_user", "OnAccountSuppressionList": "unknown_user",
}  # fmt: skip
_DELAYS: dict[str, BounceReason] = {
    "MailboxFull": "mailbox_full", "SpamDetected": "spam", "RecipientServerError": "unreachable",
    "TransientCommunicationFailure": "unreachable", "IPFailure": "policy", "Undetermined": "other",
}  # fmt: skip
_NO_COMPLAINT = ("not-spam",)


def read(message: Envelope) -> list[Found]:
    """The findings of a verified Notification; one that is no event of SES is a reject."""
    item = json_of(text(message.fields.get("Message")).encode("utf-8", "replace"))
    if not isinstance(item, dict) or not isinstance(item.get("mail"), dict):
        return [Rejected("undecodable", "the message of SNS is no event of SES", dict(message.fields))]
    name = text(item.get("eventType")) or text(item.get("notificationType"))
    if name not in _KINDS:
        return [unknown_type(item, name, moment(item["mail"].get("timestamp")))]
    kind, part = _KINDS[name]
    own = mapping(item.get(part))
    time_ms = moment(own.get("timestamp"))
    if time_ms is None and kind in ("sent", "rejected"):
        time_ms = moment(item["mail"].get("timestamp"))  # these have no time but that of the mail
    if not _is_taken(kind, own):
        return [unknown_type(item, f"{name} that changes nothing", time_ms)]
    recipients = _recipients(item["mail"], own, part)
    numbered = len(recipients) > 1
    base = text(message.fields.get("MessageId"))
    return [
        _happening(kind, time_ms, item, own, recipient, f"{base}:{number}" if numbered else base)
        for number, recipient in enumerate(recipients)
    ]


def _is_taken(kind: Kind, own: Any) -> bool:
    """Not a complaint that takes one back, nor a change of topics that leaves the recipient subscribed."""
    if kind == "complained":
        return text(own.get("complaintFeedbackType")) not in _NO_COMPLAINT
    if kind != "unsubscribed":
        return True
    new = mapping(own.get("newTopicPreferences"))
    statuses = [text(mapping(topic).get("subscriptionStatus")) for topic in _list(new.get("topicSubscriptionStatus"))]
    return new.get("unsubscribeAll") is True or "OptOut" in statuses


def _recipients(mail: Any, own: Any, part: str) -> list[Any]:
    found = _list(own.get(_RECIPIENTS.get(part, ""))) or _list(mail.get("destination"))
    return [entry if isinstance(entry, dict) else {"emailAddress": entry} for entry in found] or [{}]


def _happening(kind: Kind, time_ms: int | None, item: Any, own: Any, recipient: Any, event_id: str) -> Happening:
    reason, answer = _why(kind, own, recipient)
    return Happening(
        kind,
        time_ms,
        item,
        _metadata(item["mail"]),
        id=event_id,
        email=text(recipient.get("emailAddress")),
        reason=reason,
        diagnostic=answer,
        user_agent=text(own.get("userAgent")),
        address=text(own.get("ipAddress")),
        url=text(own.get("link")),
    )


def _metadata(mail: Any) -> dict[str, object]:
    """From message tags, else from the headers of the mail, where SES is set to include them."""
    headers = {text(mapping(header).get("name")): mapping(header).get("value") for header in _list(mail.get("headers"))}
    return ours(headers) | ours(mapping(mail.get("tags")))


def _why(kind: Kind, own: Any, recipient: Any) -> tuple[BounceReason | None, str]:
    answer = text(recipient.get("diagnosticCode"))
    status = text(recipient.get("status"))
    if kind == "bounced":
        reason = _SUBTYPES.get(text(own.get("bounceSubType"))) or reason_of(answer, status)
        hard = reason in ("unknown_user", "invalid_domain")
        if text(own.get("bounceType")) == "Permanent" and not (answer or status):
            reason = "unknown_user" if reason == "other" else reason
        return ("other" if hard and text(own.get("bounceType")) == "Transient" else reason), answer
    if kind == "deferred":
        return _DELAYS.get(text(own.get("delayType"))) or reason_of(answer, status), answer
    if kind == "rejected":
        why = text(own.get("reason")) or text(own.get("errorMessage"))
        return ("spam" if text(own.get("reason")) == "Bad content" else "other"), why
    return None, ""


def _list(value: object) -> Iterable[Any] | Any:
    return value if isinstance(value, list) else []
