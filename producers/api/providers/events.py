"""A provider's findings -> events for the spool. Pure.

What can't be attributed or read goes the same way: as an event of delivery 0 that carries its item in `original`, and
which streams turn into a reject with its reason (docs/decisions/0019).
"""

from typing import Any

import msgspec

from producers.api.providers.found import Found, Happening, Rejected
from sendtrail.errors import Invalid
from sendtrail.events import HITS, MAX_ORIGINAL, VERSION, Event, RejectReason
from sendtrail.ids import EARLIEST_MS, LATEST_AHEAD_MS, feed_id
from sendtrail.links import url_id_of
from sendtrail.naming import HASHED
from sendtrail.provider_metadata import DELIVERY, MESSAGE, RECIPIENT, MessageIdentity, read_metadata

_TEXT, _SHORT, _URL = 2048, 256, 16384
_MOST_ORIGINAL_BYTES = 96 * 1024  # in JSON, where a character takes six at most; what remains is for the other fields
_WITH_REASON = frozenset(("bounced", "rejected", "deferred"))


class EventMaker:
    """Makes the events of one webhook. `source`: the adapter's name, part of every id."""

    def __init__(self, naming_key: bytes, source: str, account: str) -> None:
        self._naming_key = naming_key
        self._source = source
        self._account = account

    def event(self, found: Found, now_ms: int) -> Event:
        """The event of a finding; see `is_reject` for which it is. Never raises."""
        if isinstance(found, Rejected):
            return self._reject(found, found.time_ms, now_ms)
        if found.time_ms is None:
            return self._reject(_because(found, "time_missing", "the item has no time of its own"), None, now_ms)
        if not EARLIEST_MS <= found.time_ms <= now_ms + LATEST_AHEAD_MS:
            why = f"its time is {found.time_ms} ms since 1970; between 2000 and tomorrow is taken"
            return self._reject(_because(found, "bad_time", why), None, now_ms)
        identity = read_metadata(found.metadata, self._account)
        if isinstance(identity, Invalid):
            return self._reject(_because(found, "unattributed", identity.detail), found.time_ms, now_ms)
        if self._account and identity.account != self._account:
            why = f"of account {identity.account!r}, while this webhook is of {self._account!r}"
            return self._reject(_because(found, "bad_field", why), found.time_ms, now_ms)
        alien = _of_the_default_account(identity)
        if alien is not None:
            why = f"key {alien} is one of the default account's, while this is of account {identity.account!r}"
            return self._reject(_because(found, "bad_field", why), found.time_ms, now_ms)
        return self._made(found, found.time_ms, identity)

    def _made(self, found: Happening, time_ms: int, identity: MessageIdentity) -> Event:
        hit = found.kind in HITS
        url = _clean(found.url, _URL) if found.kind == "click" else ""
        names = {} if hit else found.names  # a hit carries none, whoever tells it
        return Event(
            version=VERSION,
            event_id=self._id(time_ms, identity.account, found.id, _item(found.raw)),
            kind=found.kind,
            event_time_ms=time_ms,
            account=identity.account,
            source=self._source,
            delivery=identity.delivery,
            message=identity.message,
            recipient=identity.recipient,
            delivery_name=names.get(DELIVERY, ""),
            message_name=names.get(MESSAGE, ""),
            recipient_name=names.get(RECIPIENT, ""),
            url_id=url_id_of(url) if url else None,
            destination=url,
            flags=identity.flags,
            user_agent=_clean(found.user_agent, _TEXT) if hit else "",
            address=_clean(found.address, _SHORT) if hit else "",
            provider_event_id=_clean(found.id, _SHORT),
            provider_hints=[_clean(hint, _SHORT) for hint in found.hints[:16]],
            domain=_clean(found.email.rpartition("@")[2].strip("<> ").lower(), _SHORT) if "@" in found.email else "",
            reason=_reason(found),
            diagnostic=_clean(found.diagnostic, _TEXT),
        )

    def _reject(self, found: Rejected, time_ms: int | None, now_ms: int) -> Event:
        good = time_ms is not None and EARLIEST_MS <= time_ms <= now_ms + LATEST_AHEAD_MS
        at = time_ms if good and time_ms is not None else now_ms
        original = original_text(found.raw)
        return Event(
            version=VERSION,
            event_id=self._id(at, self._account, "", {"reject": original}),
            kind="rejected",
            event_time_ms=at,
            account=self._account,
            source=self._source,
            reason=found.reason,
            diagnostic=_clean(found.detail, _TEXT),
            original=original,
        )

    def _id(self, time_ms: int, account: str, own: str, item: dict[str, Any]) -> str:
        try:
            return feed_id(self._naming_key, time_ms, account, self._source, own or None, item)
        except (TypeError, UnicodeError):  # a surrogate in a text: no two such items need be told apart
            return feed_id(self._naming_key, time_ms, account, self._source, None, {"item": ascii(own or item)})


def is_reject(event: Event) -> bool:
    """True where streams will make a reject of it."""
    return bool(event.original)


def original_text(raw: Any) -> str:
    """An item as text, cut where an event can't hold it."""
    if isinstance(raw, bytes):
        whole = raw.decode("utf-8", "replace")
    else:
        try:
            whole = msgspec.json.encode(raw, order="sorted").decode()
        except (TypeError, UnicodeError):
            whole = ascii(raw)
    kept = _clean(whole, MAX_ORIGINAL) or "{}"
    return kept if len(msgspec.json.encode(kept)) <= _MOST_ORIGINAL_BYTES else kept[: _MOST_ORIGINAL_BYTES // 6]


def _item(raw: Any) -> dict[str, Any]:
    return raw if isinstance(raw, dict) else {"item": raw}


def _of_the_default_account(identity: MessageIdentity) -> int | None:
    """A key that another account's names never have: its events would count in the default account's delivery."""
    keys = (identity.delivery, identity.message, identity.recipient)
    return next((key for key in keys if identity.account and key is not None and key < HASHED), None)


def _because(found: Happening, reason: RejectReason, detail: str) -> Rejected:
    return Rejected(reason, detail, found.raw, found.time_ms)


def _reason(found: Happening) -> str:
    if found.kind not in _WITH_REASON:
        return ""
    return found.reason or ("other" if found.kind == "bounced" else "")


def _clean(value: str, most: int) -> str:
    """At most so many characters, without lone surrogates, which no encoder takes."""
    return value[:most].encode("utf-8", "replace").decode()
