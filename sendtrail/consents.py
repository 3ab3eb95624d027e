"""Records of tracking.consents: what recipients allow and allow no more, an append-only log.

Keys: `<recipient>/<purpose>/<state>/<time>`. The topic is compacted, but no two entries share a key unless they are the
same one, sent again: nothing that was said is ever dropped. What holds now is the newest by time, and at equal times
the withdrawal; so the order in which entries arrive decides nothing.
"""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from sendtrail.deliveries import Natural, RegistryRecord, Short
from sendtrail.errors import Invalid

State = Literal["granted", "withdrawn"]
STATES: tuple[State, ...] = get_args(State)

#: The purpose that decides whether hits name a person. Others are kept for the sender and change nothing here.
TRACKING = "tracking"
PURPOSE_PATTERN = r"^[a-z0-9][a-z0-9_.-]{0,63}$"


class Consent(msgspec.Struct, omit_defaults=True, kw_only=True, frozen=True):
    """One entry. `time_ms`: when the recipient said so; `updated_ms`: when the API took it; both UTC milliseconds."""

    account: Short = ""
    recipient: Natural = 0
    recipient_name: Short = ""
    purpose: Annotated[str, Meta(pattern=PURPOSE_PATTERN)] = TRACKING
    state: State = "granted"
    time_ms: Natural = 0
    updated_ms: Natural = 0


def consent_key(entry: Consent) -> str:
    """The record key of an entry."""
    return f"{entry.recipient}/{entry.purpose}/{entry.state}/{entry.time_ms}"


def consent_record(entry: Consent) -> bytes:
    """The payload of a consents segment for an entry."""
    return msgspec.json.encode(RegistryRecord(consent_key(entry), msgspec.Raw(msgspec.json.encode(entry))))


def decode_consent(key: bytes | None, value: bytes | None) -> Consent | Invalid:
    """A record as read from Kafka; never raises, null keys and values (tombstones) included."""
    if key is None or value is None:
        return Invalid("bad_consent", "a record without key or value")
    try:
        entry = msgspec.json.decode(value, type=Consent)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Invalid("bad_consent", str(error))
    if consent_key(entry).encode() != key:
        return Invalid("bad_consent", f"the record's key {key[:80]!r} is not that of its value")
    return entry
