"""What in the state is over, by log time.

Ids and hits start with a time and go by range. Marks of spools, rejected lines and transactions do not: they are looked
through, a bounded number at each pass.
"""

from typing import NamedTuple

from streams.state.keys import (
    ADDRESSES,
    DAY_MS,
    HITS,
    HOUR_MS,
    IDS,
    REJECTED,
    SPOOLS,
    TRANSACTIONS,
    read_time,
    time_bytes,
)
from streams.state.store import Store

#: Deletes trail the window, so that a record read again still finds all that its first reading found.
TRAIL_MS = DAY_MS
TRANSACTION_WINDOW_MS = 400 * DAY_MS
EVERY_MS = 3_600_000  # of log time between two passes
LOOKED_THROUGH = 20_000  # entries per pass and kind


class Expired(NamedTuple):
    """Ranges [begin, end) and single keys to delete."""

    ranges: list[tuple[bytes, bytes]]
    keys: list[bytes]


NOTHING_EXPIRED = Expired([], [])


def expired_ranges(log_time_ms: int, id_window_ms: int) -> list[tuple[bytes, bytes]]:
    """Ids a day behind the window, hits of the days before yesterday, addresses of a day ago."""
    oldest_id = max(0, log_time_ms - id_window_ms - TRAIL_MS)
    oldest_day = max(0, log_time_ms // DAY_MS - 2)
    return [
        (IDS, IDS + time_bytes(oldest_id)),
        (HITS, HITS + oldest_day.to_bytes(2, "big")),
        (ADDRESSES, ADDRESSES + max(0, log_time_ms // HOUR_MS - 24).to_bytes(4, "big")),
    ]


class Expiry:
    """Decides for one store, once an hour of log time."""

    def __init__(self, store: Store, id_window_ms: int) -> None:
        self._store = store
        remembered_ms = id_window_ms + TRAIL_MS
        transactions_ms = TRANSACTION_WINDOW_MS + TRAIL_MS
        self._windows = {SPOOLS: remembered_ms, REJECTED: remembered_ms, TRANSACTIONS: transactions_ms}
        self._id_window_ms = id_window_ms
        self._passed_ms = 0
        self._cursors = {kind: kind for kind in self._windows}

    def due(self, log_time_ms: int) -> Expired:
        """What to delete now; nothing until an hour after the last pass."""
        if log_time_ms - self._passed_ms < EVERY_MS:
            return NOTHING_EXPIRED
        self._passed_ms = log_time_ms
        keys = [key for kind, window_ms in self._windows.items() for key in self._look(kind, log_time_ms - window_ms)]
        ranges = [span for span in expired_ranges(log_time_ms, self._id_window_ms) if self._holds(*span)]
        return Expired(ranges, keys)

    def _holds(self, begin: bytes, end: bytes) -> bool:
        """A range without entries is not deleted: the delete of a range makes reads dearer (Store.write)."""
        first = self._store.entries(begin[:1], begin, 1)
        return bool(first) and first[0][0] < end

    def _look(self, kind: bytes, before_ms: int) -> list[bytes]:
        """Through the next entries of a kind, from where the last pass ended."""
        entries = self._store.entries(kind, self._cursors[kind], LOOKED_THROUGH)
        self._cursors[kind] = entries[-1][0] + b"\0" if len(entries) == LOOKED_THROUGH else kind
        return [key for key, value in entries if read_time(value) < before_ms]
