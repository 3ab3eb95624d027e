"""Any JSON webhook, read as a mapping file says. Pure."""

import hmac
from base64 import b64encode
from collections.abc import Mapping as Values
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from pydantic import SecretStr

from producers.api.body import Refusal
from producers.api.providers.doors import Door, same
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
from producers.api.providers.mapping_file import Loaded, Source, TimeField, steps_of
from producers.smtp_reasons import reason_of
from sendtrail.errors import BadName
from sendtrail.events import BounceReason, Kind
from sendtrail.naming import KeyKind, key
from sendtrail.provider_metadata import DELIVERY, MESSAGE, RECIPIENT

_KINDS: dict[str, KeyKind] = {DELIVERY: "delivery", MESSAGE: "message", RECIPIENT: "recipient"}
_WITH_REASON = ("bounced", "rejected", "deferred")


def parse(call: Call, loaded: Loaded, naming_key: bytes) -> list[Found] | Refusal:
    """Check who calls, then read the items."""
    refused = _refusal(call, loaded)
    if refused is not None:
        return refused
    body = json_of(call.body)
    return body if isinstance(body, Refusal) else read(body, loaded, naming_key)


def read(body: Any, loaded: Loaded, naming_key: bytes) -> list[Found]:
    """The findings of a body, whoever sent it."""
    place = loaded.mapping.items
    items = _at(body, place) if place else body
    if place and not isinstance(items, list):
        return [Rejected("undecodable", f"there is no list at `{place}`", body)]
    return [finding(item, loaded, naming_key) for item in (items if isinstance(items, list) else [items])]


def _refusal(call: Call, loaded: Loaded) -> Refusal | None:
    auth = loaded.mapping.auth
    if loaded.hmac_key:
        digest = hmac.digest(loaded.hmac_key.encode(), call.body, auth.hmac_digest)
        wanted = digest.hex() if auth.hmac_encoding == "hex" else b64encode(digest).decode()
        if same(call.headers.get(auth.hmac_header.lower(), ""), auth.hmac_prefix + wanted):
            return None
        return Refusal(403, "bad_signature", f"{auth.hmac_header} is not the signature of the body")
    return Door(loaded.name, auth.user, SecretStr(loaded.password), SecretStr(loaded.secret)).refusal(call)


def finding(item: Any, loaded: Loaded, naming_key: bytes) -> Found:
    if not isinstance(item, dict):
        return Rejected("undecodable", "an item is an object", item)
    told = loaded.mapping
    word, time_ms = _first(item, told.kind.path), _time(item, told.time)
    kind = told.kind.values.get(text(word))
    if kind is None:
        return unknown_type(item, word, time_ms)
    metadata: Values[str, object] = mapping(_first(item, told.metadata))
    names: dict[str, str] = {}
    if told.delivery:
        names = _names(item, loaded)
        try:
            metadata = {ours: str(key(naming_key, told.account, _KINDS[ours], name)) for ours, name in names.items()}
        except BadName as error:
            return Rejected("bad_name", str(error), item, time_ms)
    diagnostic = _value(item, told.diagnostic)
    return Happening(
        kind,
        time_ms,
        item,
        metadata,
        id=_value(item, told.id),
        email=_value(item, told.email),
        reason=_reason(item, loaded, kind, diagnostic),
        diagnostic=diagnostic if kind in _WITH_REASON else "",
        user_agent=_value(item, told.user_agent),
        address=_value(item, told.address),
        url=_value(item, told.url),
        hints=tuple(hint for hint, path in told.hints.items() if _first(item, path) not in (None, False, "", 0)),
        names=names,
    )


def _names(item: Any, loaded: Loaded) -> dict[str, str]:
    """What the sender calls delivery, message and recipient, where the item says it."""
    told = loaded.mapping
    sources: dict[str, Source] = {DELIVERY: told.delivery, MESSAGE: told.message, RECIPIENT: told.recipient}
    found = {ours: _value(item, source) for ours, source in sources.items()}
    return {ours: name for ours, name in found.items() if name}


def _reason(item: Any, loaded: Loaded, kind: Kind, diagnostic: str) -> BounceReason | None:
    if kind not in _WITH_REASON:
        return None
    told = loaded.mapping.reason
    said = text(_first(item, told.path)) if told else ""
    return (told.values.get(said) if told else None) or reason_of(diagnostic or said)


def _time(item: Any, told: TimeField) -> int | None:
    value = _first(item, told.path)
    if told.format == "unix":
        return seconds(value)
    if told.format == "unix_ms":
        found = seconds(value)
        return None if found is None else found // 1000
    if told.format == "rfc3339":
        return moment(value)
    try:
        parsed = datetime.strptime(text(value), told.format)
        return round((parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def _value(item: Any, source: Source) -> str:
    if isinstance(source, str | list):
        return text(_first(item, source))
    found = text(_first(item, source.path))
    return source.values.get(found, "" if source.values else found) or source.value


def _first(item: Any, paths: str | list[str]) -> Any:
    """What the first path leads to that leads anywhere."""
    for path in [paths] if isinstance(paths, str) else paths:
        found = _at(item, path)
        if found is not None:
            return found
    return None


def _at(item: Any, path: str) -> Any:
    if not path:
        return None
    for step in _steps(path):
        if isinstance(item, dict):
            item = item.get(step)
        elif isinstance(item, list) and step.isdecimal() and len(step) < 10 and int(step) < len(item):
            item = item[int(step)]
        else:
            return None
    return item


_steps = lru_cache(4096)(steps_of)
