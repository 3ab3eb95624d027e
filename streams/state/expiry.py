"""Which ranges of the state are over, by log time. Pure."""

from streams.state.keys import DAY_MS, IDS, OPENS, time_bytes

#: Deletes trail the window, so that a record read again still finds all that its first reading found.
TRAIL_MS = DAY_MS
EVERY_MS = 3_600_000  # of log time between two passes

Ranges = list[tuple[bytes, bytes]]


def expired_ranges(log_time_ms: int, id_window_ms: int) -> Ranges:
    """Ids a day behind the window, and the opens of the days before yesterday."""
    oldest_id = max(0, log_time_ms - id_window_ms - TRAIL_MS)
    oldest_day = max(0, log_time_ms // DAY_MS - 2)
    return [
        (IDS, IDS + time_bytes(oldest_id)),
        (OPENS, OPENS + oldest_day.to_bytes(2, "big")),
    ]
