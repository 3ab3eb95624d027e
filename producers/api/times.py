"""Times as senders write them: RFC 3339 with an offset, or milliseconds since the epoch."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from sendtrail.errors import Invalid

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


def read_time(value: object, earliest_ms: int, latest_ms: int) -> int | Invalid:
    """UTC milliseconds, or `bad_time` with what is wrong: the form, or a time outside [earliest, latest]."""
    if isinstance(value, str):
        try:
            time_ms = (msgspec.convert(value, type=_Moment) - _EPOCH) // _MILLISECOND
        except (msgspec.ValidationError, OverflowError):
            return Invalid("bad_time", "a time is RFC 3339 with an offset, such as 2026-11-24T09:30:00Z")
    elif isinstance(value, int) and not isinstance(value, bool):
        time_ms = value
    else:
        return Invalid("bad_time", "a time is RFC 3339 text or an integer of milliseconds since 1970")
    if not earliest_ms <= time_ms <= latest_ms:
        return Invalid("bad_time", f"{text_of(time_ms)} is not between {text_of(earliest_ms)} and {text_of(latest_ms)}")
    return time_ms


def text_of(time_ms: int, precision: str = "seconds") -> str:
    """A time as RFC 3339 in UTC; milliseconds in words where no calendar holds it."""
    try:
        return (_EPOCH + time_ms * _MILLISECOND).isoformat(timespec=precision).replace("+00:00", "Z")
    except OverflowError:
        return f"{time_ms} ms"
