"""One event, one JSON object on a line (FORMATS, Event). `decode` is the only parser."""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from sendtrail.errors import Invalid
from sendtrail.ids import is_event_id

VERSION = 1

HitKind = Literal["open", "click", "optout", "mirror", "web", "transaction"]
FeedKind = Literal["prepared", "sent", "delivered", "deferred", "bounced", "complained", "rejected", "unsubscribed"]
Kind = Literal[
    "open", "click", "optout", "mirror", "web", "transaction",
    "prepared", "sent", "delivered", "deferred", "bounced", "complained", "rejected", "unsubscribed",
    "relabel",
]  # fmt: skip
Class = Literal["human", "machine", "unknown"]
How = Literal["view", "form", "one_click"]
MailFormat = Literal["html", "text", "multipart"]
BounceReason = Literal[
    "unknown_user", "invalid_domain", "refused", "mailbox_full", "unreachable", "policy", "spam", "other"
]

HITS: frozenset[str] = frozenset(get_args(HitKind))
FEED: frozenset[str] = frozenset(get_args(FeedKind))

#: Why an event becomes a reject. Closed: a new reason is a new line here.
RejectReason = Literal[
    "undecodable",  # not one JSON object of the event's shape
    "bad_version",  # a format version this release does not know
    "bad_id",  # the id is not 32 hexadecimal digits, or does not carry the event's time
    "bad_time",  # outside [2000-01-01, log time + 1 day]
    "bad_field",  # a field outside its range or length
    "bad_name",  # a name that can't be a key
    "bad_pack",  # a record without pack headers, or with another count than its lines
    "wrong_partition",  # an event outside the partition of its delivery and message
    "time_missing",  # a fed item without a time of its own
    "too_large",  # an event or its enriched form past the size limit
    "unattributed",  # a provider's event without delivery and message
    "unknown_type",  # a provider's event of a type with no counterpart here
    "unknown_target",  # a relabel whose target is not stored
    "internal",  # a step failed on this event; the bytes are kept
]

REJECT_REASONS: frozenset[str] = frozenset(get_args(RejectReason))

FLAG_SEED = 1
FLAG_PROOF = 2
FLAG_HONEYPOT = 4
FLAG_NO_COOKIE = 8
FLAG_NO_RECIPIENT = 16

MAX_EVENT_BYTES = 128 * 1024
MAX_ORIGINAL = 64 * 1024  # characters
MAX_KEY = (1 << 64) - 1
MAX_TIME_MS = (1 << 48) - 1  # what an event id can hold
MAX_INDEX = (1 << 63) - 1
_ON_A_SITE = ("web", "transaction")

Natural = Annotated[int, Meta(ge=0)]
Short = Annotated[str, Meta(max_length=256)]
Text = Annotated[str, Meta(max_length=2048)]
Url = Annotated[str, Meta(max_length=16384)]
Id = Annotated[str, Meta(min_length=32, max_length=32)]


class Event(msgspec.Struct, omit_defaults=True, kw_only=True, frozen=False, gc=False):
    """Anything that happened to a message. Keys are unsigned 64-bit, times UTC milliseconds, money minor units.

    `gc=False`: an event refers to no container that could refer back, so the collector need not look at it.
    """

    version: int = msgspec.field(name="v")
    event_id: Id = msgspec.field(name="id")
    kind: Kind = msgspec.field(name="k")
    event_time_ms: Natural = msgspec.field(name="t")
    index: Natural = msgspec.field(default=0, name="i")
    account: Short = msgspec.field(default="", name="a")
    source: Short = msgspec.field(default="", name="src")
    delivery: Natural = msgspec.field(default=0, name="d")
    message: Natural = msgspec.field(default=0, name="m")
    recipient: Natural | None = msgspec.field(default=None, name="r")
    delivery_name: Short = msgspec.field(default="", name="dn")
    message_name: Short = msgspec.field(default="", name="mn")
    recipient_name: Short = msgspec.field(default="", name="rn")
    url_id: Natural | None = msgspec.field(default=None, name="u")
    position: Annotated[int, Meta(ge=0, le=65535)] = msgspec.field(default=0, name="p")
    destination: Url = msgspec.field(default="", name="to")
    flags: Annotated[int, Meta(ge=0, le=255)] = msgspec.field(default=0, name="fl")
    how: How | None = msgspec.field(default=None, name="how")
    visitor: Id | None = msgspec.field(default=None, name="vi")
    visitor_is_new: bool = msgspec.field(default=False, name="vn")
    user_agent: Text = msgspec.field(default="", name="ua")
    address: Short = msgspec.field(default="", name="ip")
    referrer: Text = msgspec.field(default="", name="ref")
    hints: Annotated[list[Short], Meta(max_length=16)] = msgspec.field(default_factory=list, name="hd")
    provider_event_id: Short = msgspec.field(default="", name="pid")
    provider_hints: Annotated[list[Short], Meta(max_length=16)] = msgspec.field(default_factory=list, name="ph")
    domain: Short = msgspec.field(default="", name="dom")
    format: MailFormat | None = msgspec.field(default=None, name="fmt")
    reason: Short = msgspec.field(default="", name="rs")
    diagnostic: Text = msgspec.field(default="", name="dg")
    site: Short = msgspec.field(default="", name="site")
    order_id: Short = msgspec.field(default="", name="oid")
    amount: Annotated[int, Meta(ge=-(2**53), le=2**53)] = msgspec.field(default=0, name="amt")
    currency: Annotated[str, Meta(max_length=3)] = msgspec.field(default="", name="cur")
    articles: Annotated[int, Meta(ge=0, le=2**31 - 1)] = msgspec.field(default=0, name="art")
    page: Url = msgspec.field(default="", name="pg")
    attributes: Annotated[dict[Short, Short], Meta(max_length=8)] = msgspec.field(default_factory=dict, name="x")
    target_id: Id | None = msgspec.field(default=None, name="tg")
    new_class: Class | None = msgspec.field(default=None, name="cl")
    new_repeat: bool | None = msgspec.field(default=None, name="rp")
    reasons: Annotated[list[Short], Meta(max_length=16)] = msgspec.field(default_factory=list, name="why")
    ruleset: Short = msgspec.field(default="", name="rv")
    run: Short = msgspec.field(default="", name="run")
    original: Annotated[str, Meta(max_length=MAX_ORIGINAL)] = msgspec.field(default="", name="raw")


_decoder = msgspec.json.Decoder(Event)
_encoder = msgspec.json.Encoder()


def encode(event: Event) -> bytes:
    """One line without its newline: what is not the default, in the order of the table in FORMATS."""
    return _encoder.encode(event)


def decode(line: bytes) -> Event | Invalid:
    """The only parser of events. Never raises, whatever the bytes; the reason is one of RejectReason."""
    if len(line) > MAX_EVENT_BYTES:
        return Invalid("too_large", f"{len(line)} bytes, at most {MAX_EVENT_BYTES} are taken")
    try:
        event = _decoder.decode(line)
    except msgspec.ValidationError as error:
        return _other_version(line) or Invalid("bad_field", str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Invalid("undecodable", str(error))
    return _checked(event)


class _Version(msgspec.Struct):
    v: int


_version_decoder = msgspec.json.Decoder(_Version)


def _other_version(line: bytes) -> Invalid | None:
    """An event of a later version may have another shape: say that, not that a field is wrong."""
    try:
        version = _version_decoder.decode(line).v
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return None if version == VERSION else Invalid("bad_version", f"version {version}, this release knows {VERSION}")


def _checked(event: Event) -> Event | Invalid:
    if event.version != VERSION:
        return Invalid("bad_version", f"version {event.version}, this release knows {VERSION}")
    if not is_event_id(event.event_id):
        return Invalid("bad_id", "an id is 32 lower-case hexadecimal digits")
    if event.delivery > MAX_KEY or event.message > MAX_KEY or (event.recipient or 0) > MAX_KEY:
        return Invalid("bad_field", "a key is at most 64 bits")
    if (event.url_id or 0) > 0xFFFFFFFF:
        return Invalid("bad_field", "a url id is at most 32 bits")
    if event.event_time_ms > MAX_TIME_MS:
        return Invalid("bad_time", "an event time has at most 48 bits of milliseconds")
    if event.index > MAX_INDEX:
        return Invalid("bad_field", "an index has at most 63 bits")
    if event.visitor is not None and not is_event_id(event.visitor):
        return Invalid("bad_field", "a visitor is 32 lower-case hexadecimal digits")
    if event.kind == "relabel" and not (event.target_id and is_event_id(event.target_id) and event.new_class):
        return Invalid("bad_field", "a relabel names its target and the new class")
    if event.kind in _ON_A_SITE and not event.site:
        return Invalid("bad_field", "a visit or transaction names its site")
    if event.kind == "transaction" and not event.order_id:
        return Invalid("bad_field", "a transaction names its order")
    return event
