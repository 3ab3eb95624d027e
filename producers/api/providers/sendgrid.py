"""SendGrid's Event Webhook: an ECDSA signature over its timestamp and the raw body, then an array of events. Pure."""

from base64 import b64decode
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from producers.api.body import Refusal
from producers.api.providers.found import Call, Found, Happening, Rejected, json_of, seconds, text, unknown_type
from producers.smtp_reasons import reason_of
from sendtrail.events import BounceReason, Kind

NAME = "sendgrid"
SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"

_KINDS: dict[str, Kind] = {
    "processed": "sent", "delivered": "delivered", "deferred": "deferred", "bounce": "bounced", "dropped": "rejected",
    "open": "open", "click": "click", "spamreport": "complained", "unsubscribe": "unsubscribed",
    "group_unsubscribe": "unsubscribed",
}  # fmt: skip
#: SendGrid's own classes of bounces, where the server's answer says nothing better.
_CLASSES: dict[str, BounceReason] = {
    "invalid address": "unknown_user", "mailbox unavailable": "mailbox_full", "content": "spam",
    "reputation": "policy", "frequency or volume too high": "policy", "technical failure": "unreachable",
}  # fmt: skip
_DROPPED: dict[str, BounceReason] = {
    "bounced address": "unknown_user", "invalid": "unknown_user", "unsubscribed address": "policy",
    "spam reporting address": "policy", "spam content (if spam checker app enabled)": "spam",
}  # fmt: skip


def public_key(settings_text: str) -> EllipticCurvePublicKey:
    """The key as SendGrid's page shows it: base64 of DER. Raises ValueError."""
    key = load_der_public_key(b64decode("".join(settings_text.split()), validate=True))
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("it is no key of an elliptic curve")
    return key


def parse(call: Call, key: EllipticCurvePublicKey, max_age_s: int) -> list[Found] | Refusal:
    """Check the signature and its age, then read the events."""
    refused = _unsigned(call, key, max_age_s)
    if refused is not None:
        return refused
    items = json_of(call.body)
    if isinstance(items, Refusal):
        return items
    return [finding(item) for item in (items if isinstance(items, list) else [items])]


def _unsigned(call: Call, key: EllipticCurvePublicKey, max_age_s: int) -> Refusal | None:
    timestamp = call.headers.get(TIMESTAMP, "")
    try:
        signature = b64decode(call.headers.get(SIGNATURE, ""), validate=True)
        key.verify(signature, timestamp.encode() + call.body, ECDSA(SHA256()))
    except (ValueError, InvalidSignature):
        return Refusal(403, "bad_signature", "the request is not signed by the key in providers.sendgrid_public_key")
    signed_ms = seconds(timestamp)
    if signed_ms is None or abs(call.now_ms - signed_ms) > max_age_s * 1000:
        return Refusal(403, "too_old", f"signed more than {max_age_s} s ago or ahead (providers.sendgrid_max_age_s)")
    return None


def finding(item: Any) -> Found:
    if not isinstance(item, dict):
        return Rejected("undecodable", "an event is an object", item)
    kind, time_ms = _KINDS.get(text(item.get("event"))), seconds(item.get("timestamp"))
    if kind is None:
        return unknown_type(item, item.get("event"), time_ms)
    reason, diagnostic = _why(kind, item)
    return Happening(
        kind,
        time_ms,
        item,
        item,  # custom arguments stand among the event's own fields
        id=text(item.get("sg_event_id")),
        email=text(item.get("email")),
        reason=reason,
        diagnostic=diagnostic,
        user_agent=text(item.get("useragent")),
        address=text(item.get("ip")),
        url=text(item.get("url")),
        hints=("sg_machine_open",) if item.get("sg_machine_open") is True else (),
    )


def _why(kind: Kind, item: dict[str, Any]) -> tuple[BounceReason | None, str]:
    """Reason and the server's answer."""
    if kind == "rejected":
        why = text(item.get("reason"))
        return _DROPPED.get(why.lower()) or reason_of(why), why
    if kind == "deferred":
        answer = text(item.get("response")) or text(item.get("reason"))
        return reason_of(answer), answer
    if kind != "bounced":
        return None, ""
    answer, status = text(item.get("reason")), text(item.get("status"))
    reason = reason_of(answer, status)
    if reason == "other":
        reason = _CLASSES.get(text(item.get("bounce_classification")).lower(), reason)
    # `blocked`: SendGrid goes on mailing the address, so it says nothing about the address.
    soft = text(item.get("type")) == "blocked" and reason in ("unknown_user", "invalid_domain")
    return "refused" if soft else reason, answer
