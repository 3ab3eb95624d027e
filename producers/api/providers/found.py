"""What a provider's request is read into: things that happened, and items that could not be read as one."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from producers.api.body import Refusal
from producers.api.times import read_time
from sendtrail.errors import Invalid
from sendtrail.events import BounceReason, Kind, RejectReason
from sendtrail.ids import EARLIEST_MS
from sendtrail.provider_metadata import NAMES

_LATEST_MS = 1 << 47  # the event maker compares with the clock


class Call(NamedTuple):
    """A request to a webhook: header names in lower case, the body as sent (unpacked), the secret of its path."""

    headers: Mapping[str, str]
    body: bytes
    secret: str
    now_ms: int


class Happening(NamedTuple):
    """One thing that happened to a message, as a provider says. `raw`: its item, as parsed.

    `time_ms` None: the item has no time. `id`: the provider's own of this event, empty for none. `email`: of the
    recipient; only its domain is kept. `metadata`: where the names of `sendtrail.provider_metadata` are among the keys.
    `names`: what the sender calls delivery, message and recipient, by the same keys, where the item says so.
    """

    kind: Kind
    time_ms: int | None
    raw: Any
    metadata: Mapping[str, object]
    id: str = ""
    email: str = ""
    reason: BounceReason | None = None
    diagnostic: str = ""
    user_agent: str = ""
    address: str = ""
    url: str = ""
    hints: tuple[str, ...] = ()
    names: Mapping[str, str] = MappingProxyType({})


class Rejected(NamedTuple):
    """An item that is no event: why, and the item itself. It becomes a row of rejects with these bytes."""

    reason: RejectReason
    detail: str
    raw: Any
    time_ms: int | None = None


Found = Happening | Rejected


def unknown_type(raw: Any, name: object, time_ms: int | None = None) -> Rejected:
    """A type of event with no counterpart here."""
    return Rejected("unknown_type", f"events of type {text(name)[:100]!r} have no counterpart here", raw, time_ms)


def json_of(body: bytes) -> Any:
    """The body as JSON, or a Refusal: what is signed and yet no JSON can't be told apart into items."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        return Refusal(400, "bad_json", str(error))


def mapping(value: object) -> Mapping[str, Any]:
    """The value where it is an object, else an empty one: whatever a provider leaves out or makes null."""
    return value if isinstance(value, dict) else {}


def text(value: object) -> str:
    """Text of a scalar; empty for null, lists and objects."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def seconds(value: object) -> int | None:
    """Milliseconds of Unix seconds: a number, or text of one. None where it is neither."""
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        return round(float(value) * 1000) if isinstance(value, float) or "." in str(value) else int(value) * 1000
    except (ValueError, OverflowError):
        return None


def moment(value: object) -> int | None:
    """Milliseconds of an RFC 3339 text. None where it is none, or out of all range."""
    if not isinstance(value, str) or not value.isascii():
        return None
    read = read_time(value, EARLIEST_MS, _LATEST_MS)
    return None if isinstance(read, Invalid) else read


def ours(values: Mapping[str, Any]) -> dict[str, object]:
    """Those of a provider's values that are our metadata, whatever the case and separators of their names."""
    return {name: value for name, value in values.items() if _plain(name) in NAMES}


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").removeprefix("x_")
