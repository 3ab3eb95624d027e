"""An open close to the last counted one of the same message, client and class -> marked `repeat`.

Judged in log order. A place keeps its counted opens with the offsets they came from, and judging at one place looks
only at what lies before it: so a record that is read again is judged as it was, although the state is ahead. Opens are
remembered until the end of the next day of log time.
"""

from streams.items import Item, Known
from streams.state.keys import DAY_MS, open_key, opens_value, read_opens
from streams.steps.identify_person import client_key

_KEPT = 8  # counted opens per key, enough to look back over any replay
Keys = tuple[bytes, ...]


def counted_open_keys(item: Item, known: Known) -> Keys:
    """What `mark_repeats` reads: the counted opens of today and of the day before, by log time."""
    event = item.event
    if event.kind != "open" or not known.open_repeat_ms:
        return ()
    today = open_key(item.origin.time_ms // DAY_MS, event.delivery, event.message, item.found.class_, client_key(event))
    day = int.from_bytes(today[1:3], "big")
    return today, today[:1] + (day - 1).to_bytes(2, "big") + today[3:]


def mark_repeats(item: Item, known: Known, keys: Keys) -> None:
    """Mark the open, or remember it as the last counted one."""
    if not keys:
        return
    place, time_ms = item.place(), item.event.event_time_ms
    today = read_opens(known.state.get(keys[0]))
    earlier = [entry for entry in read_opens(known.state.get(keys[1])) + today if entry[0] < place]
    if earlier and abs(earlier[-1][1] - time_ms) <= known.open_repeat_ms:
        item.found.repeat = True
    elif not any(entry[0] == place for entry in today):
        kept = sorted([*today, (place, time_ms)])[-_KEPT:]
        known.state.put(keys[0], opens_value(kept))
