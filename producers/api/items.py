"""A fed item -> an event. Pure: the clock and the naming key are given.

The id comes from the item alone (FORMATS, Event id), so a retry of the same item is the same event. Without an `id` of
the sender's own the whole item is what is hashed: nothing in it is a transport field.
"""

from typing import Annotated, Any, get_args

import msgspec
from msgspec import Meta

from producers.api.times import read_time
from sendtrail.errors import BadName, Invalid
from sendtrail.events import FLAG_PROOF, FLAG_SEED, VERSION, BounceReason, Event, FeedKind, MailFormat, Short
from sendtrail.ids import EARLIEST_MS, LATEST_AHEAD_MS, feed_id
from sendtrail.naming import KeyKind, KeyMaker

SOURCE = "api"
MAX_DIAGNOSTIC = 2048

#: Kinds that say why, and kinds that may carry the sender's attributes.
WITH_REASON = frozenset(("bounced", "rejected", "deferred"))
WITH_ATTRIBUTES = frozenset(("prepared", "sent"))
KINDS = get_args(FeedKind)
REASONS = get_args(BounceReason)


class Item(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One fed event as senders name things. Names and times are read apart: they have reasons of their own."""

    kind: FeedKind
    time: Any = None
    delivery: Any = None
    message: Any = None
    recipient: Any = None
    domain: Short = ""
    format: MailFormat | None = None
    reason: BounceReason | None = None
    diagnostic: str = ""
    id: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    seed: bool = False
    proof: bool = False
    attributes: Annotated[dict[Short, Short], Meta(max_length=8)] = {}


class ItemReader:
    """Makes events of items for one account."""

    def __init__(self, naming_key: bytes, account: str = "") -> None:
        self._naming_key = naming_key
        self._account = account
        self._keys = KeyMaker(naming_key, account)

    def read(self, raw: bytes, now_ms: int) -> Event | Invalid:
        """The event of one item in JSON, or why it is refused (a RejectReason). Never raises."""
        try:
            payload = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            return Invalid("undecodable", str(error))
        if not isinstance(payload, dict):
            return Invalid("undecodable", "an item is a JSON object")
        try:
            item = msgspec.convert(payload, type=Item)
        except msgspec.ValidationError as error:
            return Invalid("bad_field", readable(error))
        return self._checked(item, payload, now_ms)

    def _checked(self, item: Item, payload: dict[str, Any], now_ms: int) -> Event | Invalid:
        if item.time is None:
            return Invalid("time_missing", "an item carries the time of what happened, or a retry would count twice")
        time_ms = read_time(item.time, EARLIEST_MS, now_ms + LATEST_AHEAD_MS)
        if isinstance(time_ms, Invalid):
            return time_ms
        misplaced = _misplaced(item)
        if misplaced is not None:
            return misplaced
        event_id = feed_id(self._naming_key, time_ms, self._account, SOURCE, item.id, payload)
        try:
            return self._event(item, event_id, time_ms)
        except BadName as error:
            return Invalid("bad_name", str(error))

    def _event(self, item: Item, event_id: str, time_ms: int) -> Event:
        """Raises BadName."""
        delivery, delivery_name = self._named("delivery", item.delivery)
        message, message_name = self._named("message", item.message)
        recipient, recipient_name = None, ""
        if item.recipient is not None:
            recipient, recipient_name = self._named("recipient", item.recipient)
        return Event(
            version=VERSION,
            event_id=event_id,
            kind=item.kind,
            event_time_ms=time_ms,
            account=self._account,
            source=SOURCE,
            delivery=delivery,
            message=message,
            recipient=recipient,
            delivery_name=delivery_name,
            message_name=message_name,
            recipient_name=recipient_name,
            flags=FLAG_SEED * item.seed | FLAG_PROOF * item.proof,
            provider_event_id=item.id or "",
            domain=item.domain.lower(),
            format=item.format,
            reason=item.reason or ("other" if item.kind == "bounced" else ""),
            diagnostic=item.diagnostic[:MAX_DIAGNOSTIC],
            attributes=item.attributes,
        )

    def _named(self, kind: KeyKind, name: Any) -> tuple[int, str]:
        """Key and name as text. Raises BadName, naming the field."""
        if name is None:
            raise BadName(f"{kind} is missing")
        try:
            return self._keys.key(kind, name), str(name)
        except BadName as error:
            raise BadName(f"{kind}: {error}") from error


def readable(error: msgspec.ValidationError) -> str:
    """A validation error in the sender's terms: `domain` rather than `$.domain`."""
    return str(error).replace("`$.", "`").replace(" - at `$`", "")


def _misplaced(item: Item) -> Invalid | None:
    if item.reason is not None and item.kind not in WITH_REASON:
        return Invalid("bad_field", f"reason says why something was {', '.join(sorted(WITH_REASON))}, not {item.kind}")
    if item.attributes and item.kind not in WITH_ATTRIBUTES:
        return Invalid("bad_field", "attributes belong on prepared or sent; reports join them to everything else")
    return None
