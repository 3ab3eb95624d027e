"""An open close to the last counted one of the same message, client and class -> marked `repeat`.

Judged in log order. A place keeps its counted opens with the offsets they came from, and judging at one place looks
only at what lies before it: so a record that is read again is judged as it was, although the state is ahead.

Opens are kept by day of log time. The day before is looked at where the open's own time, less the repeat time, lies in
it: an open counted then can't be near in time otherwise, unless a clock was ahead.
"""

from streams.items import Item, Known
from streams.state.keys import DAY_MS, open_key, opens_value, read_opens
from streams.steps.identify_person import client_key

_KEPT = 8  # counted opens per key, enough to look back over any replay
Keys = tuple[bytes, ...]


def counted_open_keys(item: Item, known: Known) -> Keys:
    """What `mark_repeats` reads: the counted opens of the log day, and of the day before where they can matter."""
    event = item.event
    if event.kind != "open" or not known.open_repeat_ms:
        return ()
    day = item.origin.time_ms // DAY_MS
    today = open_key(day, event.delivery, event.message, item.found.class_, client_key(event))
    if event.event_time_ms - known.open_repeat_ms >= day * DAY_MS:
        return (today,)
    return today, today[:1] + (day - 1).to_bytes(2, "big") + today[3:]


def mark_repeats(item: Item, known: Known, keys: Keys) -> None:
    """Mark the open, or remember it as the last counted one."""
    if not keys:
        return
    place, time_ms = item.place(), item.event.event_time_ms
    found = [known.state.get(key) for key in keys]
    if not any(found):
        known.state.put(keys[0], opens_value([(place, time_ms)]))
        return
    opens = [entry for value in reversed(found) for entry in read_opens(value)]
    before = [at for seen, at in opens if seen < place]
    if before and abs(before[-1] - time_ms) <= known.open_repeat_ms:
        item.found.repeat = True
    elif all(seen != place for seen, _ in opens):
        kept = sorted([*read_opens(found[0]), (place, time_ms)])
        known.state.put(keys[0], opens_value(kept[-_KEPT:]))
