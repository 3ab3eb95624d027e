"""A rejected event that was rejected before -> counted as resent or duplicate, and no second row of rejects.

What a forwarder sends again holds its bad events too. Most have no id to go by, so they are known by their spool, their
segment and their bytes: an event's line holds its index, so no two lines of a segment are equal. Equal lines of one
record are not the copies of each other, whoever wrote them.
"""

from collections.abc import Sequence

from streams.items import Item, Known, Record
from streams.state.keys import OFFSET_BYTES, PLACE_BYTES, rejected_key, time_bytes


def drop_known(records: Sequence[Record], known: Known) -> None:
    """Look at what the steps have rejected of `records`, in the order of the log; remember what is new."""
    rejected = [
        (record, item, rejected_key(record.pack.spool, record.pack.segment, item.line))
        for record in records
        if record.pack
        for item in record.items
        if item.outcome == "rejected"
    ]
    known.state.load([key for _, _, key in rejected])
    for record, item, key in rejected:
        _drop(record, item, key, known)


def _drop(record: Record, item: Item, key: bytes, known: Known) -> None:
    first = known.state.get(key)
    if first is None or first[:PLACE_BYTES] > item.place:
        known.state.put(key, item.place + time_bytes(item.origin.time_ms))
    elif first[:OFFSET_BYTES] < item.place[:OFFSET_BYTES]:
        seen_in_spool = record.pack is not None and (record.pack.segment, record.pack.last) <= item.origin.mark
        item.outcome = "resent" if seen_in_spool else "duplicate"
