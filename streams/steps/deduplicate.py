"""An event seen before -> counted as duplicate or resent, and dropped.

The index keeps where an id was seen first. A hit is a duplicate only if that is *before* it, so a record that is read
again finds the same duplicates although the state already knows its events.
"""

from streams.items import Item, Known
from streams.state.expiry import TRANSACTION_WINDOW_MS
from streams.state.keys import PLACE_BYTES, id_key, read_time, time_bytes, transaction_key


def sight_key(item: Item, known: Known) -> bytes | None:
    """What `deduplicate` reads. None, and the mark `late`, for an id that only the table of events can still know."""
    event = item.event
    if event.kind == "transaction":
        return transaction_key(event.event_id)
    if item.id_time_ms < item.origin.time_ms - known.id_window_ms:
        item.found.marks += ("late",)
        return None
    return id_key(event.event_id)


def deduplicate(item: Item, known: Known, key: bytes) -> None:
    """Drop the second sight of an id; remember the first."""
    first, place = known.state.get(key), item.place
    if item.event.kind == "transaction":
        if first is not None and read_time(first) < item.origin.time_ms - TRANSACTION_WINDOW_MS:
            first = None
        _remember(item, known, key, first, place, place + time_bytes(item.origin.time_ms))
    elif first is None:
        known.state.put(key, place)
    else:
        _remember(item, known, key, first, place, place)


def _remember(item: Item, known: Known, key: bytes, first: bytes | None, place: bytes, value: bytes) -> None:
    if first is None or first[:PLACE_BYTES] > place:
        known.state.put(key, value)
    elif first[:PLACE_BYTES] < place:
        seen_in_spool = (item.origin.segment, item.event.index) <= item.origin.mark
        item.outcome = "resent" if seen_in_spool else "duplicate"
