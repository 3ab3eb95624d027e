"""Re-labels that did not fit into their record wait in the state for the next ones.

Kept for a while after they left, with the record they left in: so a record that is read again takes the same ones.
"""

from collections.abc import Sequence

import msgspec

from sendtrail.enriched import MAX_RELABELS
from sendtrail.events import Event
from streams.items import Known, Record
from streams.state.keys import WAITING

#: For so many offsets what left is remembered: more than a replay ever goes back.
REMEMBERED = 10_000


class Waiting(msgspec.Struct, array_like=True):
    """A re-label made in record `made`; `left`: the record it went out with, -1 = it waits."""

    made: int
    relabel: Event
    left: int = -1


_decoder = msgspec.msgpack.Decoder(list[Waiting])
_encoder = msgspec.msgpack.Encoder()


def settle(records: Sequence[Record], known: Known) -> None:
    """Give each record the re-labels that leave with it, at most MAX_RELABELS: first those that wait."""
    for record in records:
        own, value = record.origin.relabels, known.state.get(WAITING)
        if value is None and len(own) <= MAX_RELABELS:
            record.relabels = own
        else:
            _share_out(record, [] if value is None else _decoder.decode(value), known)


def _share_out(record: Record, waiting: list[Waiting], known: Known) -> None:
    own, here = record.origin.relabels, record.source.offset
    due = [one for one in waiting if one.made < here and (one.left < 0 or one.left >= here)][:MAX_RELABELS]
    room = MAX_RELABELS - len(due)
    for one in due:
        one.left = here
    record.relabels = [*(one.relabel for one in due), *own[:room]]
    if all(one.made != here for one in waiting):
        waiting += [Waiting(here, relabel) for relabel in own[room:]]
    kept = [one for one in waiting if one.left < 0 or one.left > here - REMEMBERED]
    known.state.put(WAITING, _encoder.encode(kept))
