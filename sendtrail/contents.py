"""Records of tracking.contents: a delivery's message as its template has it, for hot clicks and the mirror page.

Keys: `<delivery>/html` and `<delivery>/text`. Every tracked link of a content is one of this installation whose token
names delivery, link, position and destination, but no message, and is not signed (`links.UNSIGNED`): it says where it
stands and leads nowhere.
"""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from sendtrail.deliveries import Natural, RegistryRecord
from sendtrail.errors import Invalid

Part = Literal["html", "text"]
PARTS: tuple[Part, ...] = get_args(Part)

#: UTF-8 bytes of one part at most. JSON makes six bytes of one at worst, and the topic takes 8 MiB.
MAX_BYTES = 1024 * 1024


class Content(msgspec.Struct, omit_defaults=True, kw_only=True, frozen=True):
    """One part of a delivery's message; empty where the message has none. `updated_ms`: UTC milliseconds."""

    delivery: Natural = 0
    part: Part = "html"
    content: Annotated[str, Meta(max_length=MAX_BYTES)] = ""
    updated_ms: Natural = 0


def content_key(delivery: int, part: Part) -> str:
    """The record key of one part of a delivery's message."""
    return f"{delivery}/{part}"


def content_record(entry: Content) -> bytes:
    """The payload of a contents segment for an entry."""
    key = content_key(entry.delivery, entry.part)
    return msgspec.json.encode(RegistryRecord(key, msgspec.Raw(msgspec.json.encode(entry))))


def decode_content(key: bytes | None, value: bytes | None) -> Content | Invalid:
    """A record as read from Kafka; never raises, null keys and values (tombstones) included."""
    if key is None or value is None:
        return Invalid("bad_content", "a record without key or value")
    try:
        entry = msgspec.json.decode(value, type=Content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Invalid("bad_content", str(error))
    if content_key(entry.delivery, entry.part).encode() != key:
        return Invalid("bad_content", f"the record's key {key[:80]!r} is not that of its value")
    return entry
