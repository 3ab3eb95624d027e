"""An open close to the last counted one of the same message, client and class -> marked `repeat`.

Judged in log order. A place keeps its counted opens with the offsets they came from, and judging at one place looks
only at what lies before it: so a record that is read again is judged as it was, although the state is ahead.

Opens are kept by day of log time. The day before is looked at where the open's own time, less the repeat time, lies in
it: an open counted then can't be near in time otherwise, unless a clock was ahead.
"""

from streams.items import Item, Known
from streams.state.keys import DAY_MS, day_before, open_key, opens_value, read_opens, time_bytes
from streams.steps.identify_person import client_key

_KEPT = 8  # counted opens per key, enough to look back over any replay


def counted_opens_key(item: Item, known: Known) -> bytes | None:
    """What `mark_repeats` reads: the counted opens of the log day."""
    event = item.event
    if event.kind != "open" or not known.open_repeat_ms or "flood" in item.found.marks:
        return None
    day = item.origin.time_ms // DAY_MS
    return open_key(day, event.delivery, event.message, item.found.class_, client_key(event))


def mark_repeats(item: Item, known: Known, key: bytes) -> None:
    """Mark the open, or remember it as the last counted one."""
    time_ms = item.event.event_time_ms
    today = known.state.get(key)
    yesterday = None
    if time_ms - known.open_repeat_ms < item.origin.time_ms // DAY_MS * DAY_MS:
        yesterday = known.state.get(day_before(key))
    if today is None and yesterday is None:
        known.state.put(key, item.place + time_bytes(time_ms))
        return
    place, opens = item.place, read_opens(yesterday) + read_opens(today)
    before = [at for seen, at in opens if seen < place]
    if before and abs(before[-1] - time_ms) <= known.open_repeat_ms:
        item.found.repeat = True
    elif all(seen != place for seen, _ in opens):
        kept = sorted([*read_opens(today), (place, time_ms)])
        known.state.put(key, opens_value(kept[-_KEPT:]))
