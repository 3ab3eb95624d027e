"""Proves that ClickHouse will take an event row: what decoding has not proved already (ranges, hexadecimal digits).

`fault` says it of one row; `are_sound` says it of many at once from their columns, at a fraction of the cost. Both
agree (tested); the loader asks `fault` only where `are_sound` says no.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from sendtrail.enriched import EventRow
from sendtrail.ids import is_event_id
from sinks.columns import KINDS, MAX_TIME_MS, MAX_UINT32, MAX_UINT64, REASON_SEPARATOR

_MAY_LACK = ("person", "visitor")  # 128-bit numbers of 32 digits, or none
#: Field -> the largest value its column takes.
_LIMITS = {
    "delivery": MAX_UINT64,
    "message": MAX_UINT64,
    "recipient": MAX_UINT64,
    "source_offset": MAX_UINT64,
    "source_index": MAX_UINT32,
    "index": MAX_UINT32,
    "url_id": MAX_UINT32,
    "event_time_ms": MAX_TIME_MS,
}


def fault(row: EventRow) -> str | None:
    """Why the row can't be stored, None if it can."""
    if row.kind not in KINDS:
        return f"an event line of kind {row.kind}"
    for field, limit in _LIMITS.items():
        value = getattr(row, field)
        if value is not None and value > limit:
            return f"{field} {value} is above {limit}"
    if not is_event_id(row.event_id):
        return "event_id is not 32 lower-case hexadecimal digits"
    if row.person and not is_event_id(row.person):
        return "person is not 32 lower-case hexadecimal digits"
    if row.visitor is not None and not is_event_id(row.visitor):
        return "visitor is not 32 lower-case hexadecimal digits"
    if any(REASON_SEPARATOR in reason for reason in row.class_reasons):
        return "the name of a reason has a comma"
    return None


def are_sound(columns: Mapping[str, Sequence[Any]]) -> bool:
    """True if no row has a fault. `columns`: field name of EventRow -> its values, one per row; without defaults."""
    return (
        set(columns.get("kind", ())) <= KINDS.keys()
        and all(_fits(columns[field], limit) for field, limit in _LIMITS.items() if field in columns)
        and _is_hexadecimal(columns.get("event_id", ()))
        and all(_is_hexadecimal([id_ for id_ in columns[field] if id_]) for field in _MAY_LACK if field in columns)
        and not any(REASON_SEPARATOR in text for text in set(chain.from_iterable(columns.get("class_reasons", ()))))
    )


def _fits(values: Sequence[Any], limit: int) -> bool:
    return max(filter(None, values) if None in values else values, default=0) <= limit


def _is_hexadecimal(ids: Sequence[str]) -> bool:
    """`bytes.fromhex` skips white space and takes upper case; the lengths and the comparison don't."""
    text = "".join(ids)
    try:
        return bytes.fromhex(text).hex() == text and set(map(len, ids)) <= {32}
    except ValueError:
        return False
