"""Registry records of tracking.deliveries: what a sender says of a delivery and its URLs (FORMATS, Registry topic).

Keys: `<delivery>/meta` and `<delivery>/url/<id>`, so that instrumenting and editing labels don't overwrite each other.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sendtrail.errors import Invalid

Status = Literal["draft", "sending", "finished"]
UrlMode = Literal["tracked", "not_tracked", "always", "never", "optout", "mirror"]
Short = Annotated[str, Meta(max_length=256)]
Natural = Annotated[int, Meta(ge=0)]


#: Whose opens and clicks of a delivery count: ours, or those a provider reports (the name of its webhook).
OWN_HITS = "edge"
HitsFrom = Annotated[str, Meta(pattern="^[a-z][a-z0-9_-]{0,31}$")]


class Delivery(msgspec.Struct, omit_defaults=True, kw_only=True, frozen=True):
    """One delivery. Times are UTC milliseconds; counts None where the sender gives none."""

    account: Short = ""
    delivery: Natural = 0
    name: Short = ""
    label: Short = ""
    code: Short = ""
    campaign: Short = ""
    channel: Short = "email"
    type: Short = ""
    category: Short = ""
    tags: Annotated[list[Short], Meta(max_length=32)] = []
    sender: Short = ""
    subject: Annotated[str, Meta(max_length=1024)] = ""
    contact_date_ms: Natural | None = None
    status: Status | None = None
    targeted: Natural | None = None
    excluded: dict[Short, Natural] = {}
    to_deliver: Natural | None = None
    success: Natural | None = None
    track_until_ms: Natural | None = None
    hits_from: HitsFrom = OWN_HITS
    updated_ms: Natural = 0


class DeliveryUrl(msgspec.Struct, omit_defaults=True, kw_only=True, frozen=True):
    """One URL of a delivery as the template has it, with what reports call it."""

    delivery: Natural = 0
    url_id: Natural = 0
    url: Annotated[str, Meta(max_length=16384)] = ""
    label: Short = ""
    category: Short = ""
    mode: UrlMode = "tracked"
    updated_ms: Natural = 0


class RegistryRecord(msgspec.Struct, frozen=True):
    """A record on its way to tracking.deliveries: the payload of a registry segment's frame."""

    key: str
    value: msgspec.Raw


def meta_key(delivery: int) -> str:
    """The record key of a delivery's own fields."""
    return f"{delivery}/meta"


def url_key(delivery: int, url_id: int) -> str:
    """The record key of one URL of a delivery."""
    return f"{delivery}/url/{url_id}"


def key_of(entry: Delivery | DeliveryUrl) -> str:
    """The record key of an entry."""
    return meta_key(entry.delivery) if isinstance(entry, Delivery) else url_key(entry.delivery, entry.url_id)


def record_of(entry: Delivery | DeliveryUrl) -> bytes:
    """The registry-segment payload for an entry."""
    return msgspec.json.encode(RegistryRecord(key_of(entry), msgspec.Raw(msgspec.json.encode(entry))))


def decode_record(key: bytes | None, value: bytes | None) -> Delivery | DeliveryUrl | Invalid:
    """A registry record as read from Kafka; never raises, null keys and values (tombstones) included."""
    if key is None or value is None:
        return Invalid("bad_registry", "a record without key or value")
    kind: type[Delivery] | type[DeliveryUrl] = DeliveryUrl if b"/url/" in key else Delivery
    try:
        entry = msgspec.json.decode(value, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Invalid("bad_registry", str(error))
    if key_of(entry).encode() != key:
        return Invalid("bad_registry", f"the record's key {key[:80]!r} is not that of its value")
    return entry
