"""SparkPost's webhooks: an array of events, each in an envelope of its class. Not signed: see doors.py. Pure."""

from typing import Any

from producers.api.body import Refusal
from producers.api.providers.doors import Door
from producers.api.providers.found import (
    Call,
    Found,
    Happening,
    Rejected,
    json_of,
    mapping,
    moment,
    seconds,
    text,
    unknown_type,
)
from producers.smtp_reasons import HARD, reason_of
from sendtrail.events import BounceReason, Kind

NAME = "sparkpost"

_KINDS: dict[str, Kind] = {
    "injection": "sent", "delivery": "delivered", "delay": "deferred", "bounce": "bounced", "out_of_band": "bounced",
    "policy_rejection": "rejected", "generation_failure": "rejected", "generation_rejection": "rejected",
    "spam_complaint": "complained", "list_unsubscribe": "unsubscribed", "link_unsubscribe": "unsubscribed",
    "open": "open", "initial_open": "open", "amp_open": "open", "amp_initial_open": "open",
    "click": "click", "amp_click": "click",
}  # fmt: skip
#: SparkPost's bounce classes.
_CLASSES: dict[str, BounceReason] = {
    "10": "unknown_user", "20": "unreachable", "21": "unreachable", "22": "mailbox_full", "23": "policy",
    "24": "unreachable", "25": "refused", "30": "unknown_user", "40": "other", "50": "policy", "51": "spam",
    "52": "spam", "53": "policy", "54": "refused", "70": "unreachable",
}  # fmt: skip
#: Mails that came back and are no bounces: auto-reply, subscribe, unsubscribe, challenge.
_NO_BOUNCES = ("60", "80", "90", "100")
_HINTS = ("is_proxy", "is_prefetched")


def parse(call: Call, door: Door) -> list[Found] | Refusal:
    """Check who calls, then read the events. The empty batch by which SparkPost tries an address is fine."""
    refused = door.refusal(call)
    if refused is not None:
        return refused
    body = json_of(call.body)
    if isinstance(body, Refusal):
        return body
    items = body if isinstance(body, list) else [body]
    return [found for item in items if (found := _unpacked(item)) is not None]


def _unpacked(item: Any) -> Found | None:
    system = item.get("msys") if isinstance(item, dict) else None
    if not isinstance(system, dict):
        return Rejected("undecodable", "an event is an object with msys", item)
    if not system:
        return None
    events = [event for event in system.values() if isinstance(event, dict)]
    return finding(events[0]) if len(events) == 1 else Rejected("undecodable", "msys holds one event", item)


def finding(item: dict[str, Any]) -> Found:
    name = text(item.get("type"))
    kind, time_ms = _KINDS.get(name), _time(item.get("timestamp"))
    if kind == "bounced" and text(item.get("bounce_class")) in _NO_BOUNCES:
        return unknown_type(item, f"{name} of class {text(item.get('bounce_class'))}", time_ms)
    if kind is None:
        return unknown_type(item, name, time_ms)
    reason, diagnostic = _why(kind, item)
    agent = mapping(item.get("user_agent_parsed"))
    return Happening(
        kind,
        time_ms,
        item,
        mapping(item.get("rcpt_meta")),
        id=text(item.get("event_id")),
        email=text(item.get("rcpt_to")) or text(item.get("raw_rcpt_to")),
        reason=reason,
        diagnostic=diagnostic,
        user_agent=text(item.get("user_agent")),
        address=text(item.get("ip_address")) if kind in ("open", "click") else "",
        url=text(item.get("target_link_url")),
        hints=tuple(f"user_agent_parsed.{name}" for name in _HINTS if agent.get(name) is True),
    )


def _time(value: object) -> int | None:
    """Unix seconds, as text; some accounts get RFC 3339."""
    found = seconds(value)
    return moment(value) if found is None else found


def _why(kind: Kind, item: dict[str, Any]) -> tuple[BounceReason | None, str]:
    if kind not in ("bounced", "rejected", "deferred"):
        return None, ""
    answer = text(item.get("raw_reason")) or text(item.get("reason"))
    said = reason_of(answer, text(item.get("error_code")))
    reason = _CLASSES.get(text(item.get("bounce_class")), said)
    if reason == "unknown_user" and said in HARD:
        reason = said  # class 10 and 30 don't tell a wrong user from a wrong domain
    return (said if reason == "other" and said not in HARD else reason), answer
