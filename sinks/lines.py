"""Values of tracking.enriched -> rows, one line each, at less cost than the contract's own decoder."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from sendtrail.enriched import EventRow, Mark, RejectRow, RelabelRow, Row, decode_row
from sendtrail.errors import Invalid
from sendtrail.packs import split
from sinks.blocks import BadLine

_NONE: Any = ()


class LoadedEvent(EventRow, omit_defaults=True, kw_only=True, tag_field="row", tag="event", gc=False):
    """An EventRow whose empty lists are one object, not five new ones in every row."""

    hints: list[str] = _NONE
    provider_hints: list[str] = _NONE
    attributes: dict[str, str] = _NONE
    class_reasons: list[str] = msgspec.field(default=_NONE, name="reasons")
    marks: list[Mark] = _NONE


#: What an event line may be: as decoded here, or as made by anybody else.
EVENTS: Final = frozenset({EventRow, LoadedEvent})
_decoder = msgspec.json.Decoder(LoadedEvent | RelabelRow | RejectRow)


def read_lines(value: bytes) -> Sequence[Row | BadLine]:
    """The lines of an enriched record; one that is no row comes along as it is."""
    try:
        return _decoder.decode_lines(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [_read_line(line, number) for number, line in enumerate(split(value))]


def _read_line(line: bytes, number: int) -> Row | BadLine:
    row = decode_row(line)
    return BadLine(line, number, row.detail) if isinstance(row, Invalid) else row
