"""Mailgun's webhooks: an HMAC over a timestamp and a token, which is taken once, then one event. Pure but for the
memory of tokens, which is the caller's."""

import hmac
from collections import OrderedDict
from typing import Any

from producers.api.body import Refusal
from producers.api.providers.doors import same
from producers.api.providers.found import (
    Call,
    Found,
    Happening,
    Rejected,
    json_of,
    mapping,
    seconds,
    text,
    unknown_type,
)
from producers.smtp_reasons import reason_of
from sendtrail.events import BounceReason, Kind

NAME = "mailgun"

_KINDS: dict[str, Kind] = {
    "accepted": "sent", "delivered": "delivered", "opened": "open", "clicked": "click", "complained": "complained",
    "unsubscribed": "unsubscribed", "rejected": "rejected",
}  # fmt: skip
#: Mailgun's own words for failures it made without asking the recipient's server.
_OWN: dict[str, BounceReason] = {
    "suppress-bounce": "unknown_user", "suppress-complaint": "policy", "suppress-unsubscribe": "policy",
    "espblock": "policy", "old": "unreachable",
}  # fmt: skip
#: 406 is the one status on which Mailgun does not repeat (its manual, Webhooks).
_NOT_ACCEPTABLE = 406


class Tokens:
    """Tokens that were taken, the newest of them. Whatever is forgotten is still told by the event's id."""

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._seen: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, token: str) -> bool:
        return token in self._seen

    def add(self, token: str) -> None:
        """Remember one; the oldest is forgotten for it."""
        self._seen[token] = None
        while len(self._seen) > self._most:
            self._seen.popitem(last=False)


def parse(call: Call, signing_key: str, max_age_s: int, tokens: Tokens) -> list[Found] | Refusal:
    """Check signature, age and token, then read the event. The caller adds `token_of(call)` once it is kept."""
    body = json_of(call.body)
    if isinstance(body, Refusal):
        return body
    refused = _unsigned(mapping(mapping(body).get("signature")), call.now_ms, signing_key, max_age_s, tokens)
    return refused or [finding(mapping(body).get("event-data"))]


def token_of(call: Call) -> str:
    """The token of a request that was parsed."""
    return text(mapping(mapping(json_of(call.body)).get("signature")).get("token"))


def _unsigned(
    signature: Any, now_ms: int, signing_key: str, max_age_s: int, tokens: Tokens
) -> Refusal | None:  # fmt: skip
    timestamp, token = text(signature.get("timestamp")), text(signature.get("token"))
    over = (timestamp + token).encode("utf-8", "replace")
    wanted = hmac.digest(signing_key.encode(), over, "sha256").hex()
    if not token or not same(text(signature.get("signature")), wanted):
        return Refusal(_NOT_ACCEPTABLE, "bad_signature", "not signed with providers.mailgun_signing_key")
    signed_ms = seconds(timestamp)
    if signed_ms is None or abs(now_ms - signed_ms) > max_age_s * 1000:
        why = f"signed more than {max_age_s} s ago or ahead (providers.mailgun_max_age_s)"
        return Refusal(_NOT_ACCEPTABLE, "too_old", why)
    if token in tokens:
        return Refusal(_NOT_ACCEPTABLE, "replayed", "this request was taken before; nothing is to be done")
    return None


def finding(item: Any) -> Found:
    if not isinstance(item, dict):
        return Rejected("undecodable", "there is no event-data", item)
    name, time_ms = text(item.get("event")), seconds(item.get("timestamp"))
    kind = _KINDS.get(name)
    if name == "failed":
        kind = "deferred" if text(item.get("severity")) == "temporary" else "bounced"
    if kind is None:
        return unknown_type(item, name, time_ms)
    reason, diagnostic = _why(kind, item)
    client = mapping(item.get("client-info"))
    bot = text(client.get("bot"))
    return Happening(
        kind,
        time_ms,
        item,
        mapping(item.get("user-variables")),
        id=text(item.get("id")),
        email=text(item.get("recipient")),
        reason=reason,
        diagnostic=diagnostic,
        user_agent=text(client.get("user-agent")),
        address=text(item.get("ip")),
        url=text(item.get("url")),
        hints=(f"client-info.bot={bot}",) if bot else (),
    )


def _why(kind: Kind, item: dict[str, Any]) -> tuple[BounceReason | None, str]:
    if kind == "rejected":
        why = text(mapping(item.get("reject")).get("reason"))
        return reason_of(why), why
    if kind not in ("bounced", "deferred"):
        return None, ""
    status = mapping(item.get("delivery-status"))
    answer = text(status.get("message")) or text(status.get("description"))
    own = _OWN.get(text(item.get("reason"))) if kind == "bounced" else None
    code = text(status.get("enhanced-code")) or text(status.get("code"))
    return own or reason_of(answer, code), answer
