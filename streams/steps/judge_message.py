"""The hits of a message judge each other: repeats, bursts, honeypots -> marks on this hit, re-labels of earlier ones.

Hits are kept by day of log time (docs/decisions/0009). The day before is looked at where it can matter: within half an
hour of its end, or where this hit's own time, less the repeat time, lies in it.
"""

from sendtrail.events import FLAG_HONEYPOT
from streams.items import Item, Known
from streams.judge import DELIVERED, FOLLOWS
from streams.judge_again import RELABELLED_MS, Message, judge
from streams.state.hits import Hit, hits_value, read_hits
from streams.state.keys import DAY_MS, day_before, hits_key
from streams.steps.classify import CONFIRMED
from streams.steps.identify_person import client_key
from streams.watch_addresses import watch_addresses

#: Kinds that are judged with the others of their message; the rest by their request alone.
JUDGED = FOLLOWS | {"open", DELIVERED}


def message_key(item: Item, known: Known) -> bytes | None:
    """What `judge_message` reads: the hits of the message on the log day."""
    event = item.event
    if event.kind not in JUDGED or "flood" in item.found.marks:
        return None
    if event.kind == DELIVERED and not known.rules.group.before_delivery:
        return None
    return hits_key(item.origin.time_ms // DAY_MS, event.delivery, event.message)


def judge_message(item: Item, known: Known, key: bytes) -> None:
    """Judge this hit among the others, and the others with it."""
    if item.event.kind in FOLLOWS:
        watch_addresses(item, known)
    mine, value = _hit(item), known.state.get(key)
    earlier_key = day_before(key) if _reaches_back(item, known) else None
    earlier_value = known.state.get(earlier_key) if earlier_key is not None else None
    if value is None and earlier_value is None:  # the first of its message, as most are
        known.state.put(key, hits_value((mine,)))
        return
    days = {key: read_hits(value)}
    if earlier_key is not None:
        days = {earlier_key: read_hits(earlier_value), **days}
    message = Message(item.event.delivery, item.event.message, days)
    judgement = judge(message, item, known, mine)
    if judgement is not None and mine.kind != DELIVERED:
        item.found.class_, item.found.class_reasons = judgement.class_, judgement.reasons
        item.found.repeat = judgement.repeat


def _hit(item: Item) -> Hit:
    event, found = item.event, item.found
    event_id, log_ms = bytes.fromhex(event.event_id), item.origin.time_ms
    if event.kind == DELIVERED:
        return Hit(item.place, event_id, DELIVERED, event.event_time_ms, log_ms, "unknown", (), fixed=True)
    return Hit(
        item.place, event_id, event.kind, event.event_time_ms, log_ms, found.class_, found.class_reasons,
        client_key(event), event.url_id or 0, bool(event.flags & FLAG_HONEYPOT), event.how in CONFIRMED,
    )  # fmt: skip


def _reaches_back(item: Item, known: Known) -> bool:
    day_began = item.origin.time_ms // DAY_MS * DAY_MS
    nearest = min(item.origin.time_ms - RELABELLED_MS, item.event.event_time_ms - known.open_repeat_ms)
    return nearest < day_began
