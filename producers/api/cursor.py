"""How far a reader of suppressions has come: a position in each partition of the source. Pure.

Events are loaded in the order of their source offsets within a partition, and in any order among partitions. So what
was given is exactly what lies before one position in each of them (docs/decisions/0018).
"""

import base64
import binascii
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

#: A source topic's id and a partition of it.
Lane = tuple[str, int]

_Topic = Annotated[str, Meta(min_length=1, max_length=64)]
_Partition = Annotated[int, Meta(ge=0, le=0xFFFF)]
_Number = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
_MAX_TEXT = 256 * 1024


class Position(NamedTuple):
    """The first place in a partition that was not given yet: source offset, and number in its record."""

    offset: int
    number: int = 0


class _Wire(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    account: str
    lanes: list[tuple[_Topic, _Partition, _Number, _Number]]


class Cursor:
    """What one account was given."""

    def __init__(self, account: str, positions: dict[Lane, Position] | None = None) -> None:
        self.account = account
        self.positions = positions or {}

    def at(self, lane: Lane) -> Position:
        """The first place to look at in a partition."""
        return self.positions.get(lane, Position(0))

    def moved(self, positions: dict[Lane, Position]) -> "Cursor":
        """Forward, and never back: a copy of the tables that lags behind must not make anything appear twice."""
        ahead = {lane: max(self.at(lane), position) for lane, position in positions.items()}
        return Cursor(self.account, self.positions | ahead)

    def text(self) -> str:
        """As it travels: letters, digits, - and _."""
        lanes = [(*lane, *position) for lane, position in sorted(self.positions.items())]
        return base64.urlsafe_b64encode(msgspec.json.encode(_Wire(self.account, lanes))).rstrip(b"=").decode()


def read_cursor(text: str, account: str) -> Cursor | None:
    """The cursor of a text this API made for the same account; "" is the beginning, None what is no cursor."""
    if not text:
        return Cursor(account)
    if len(text) > _MAX_TEXT:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        wire = msgspec.json.decode(raw, type=_Wire)
    except (msgspec.DecodeError, UnicodeError, binascii.Error, ValueError):
        return None
    positions = {(topic, partition): Position(offset, number) for topic, partition, offset, number in wire.lanes}
    return Cursor(account, positions) if wire.account == account else None
