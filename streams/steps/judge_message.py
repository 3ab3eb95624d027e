"""The hits of a message judge each other: repeats, bursts, honeypots -> marks on this hit, re-labels of earlier ones.

A re-label is due where what this hit shows changes the class or the repeat mark of an earlier one that is at most half
an hour of log time old; older ones are left to `sendtrail reclassify` (DESIGN §6). It leaves with the record of this
hit, and the loader knows the row it corrects.

Hits are kept by day of log time (docs/decisions/0009). The day before is looked at where it can matter: within half an
hour of its end, or where this hit's own time, less the repeat time, lies in it.
"""

from sendtrail.events import FLAG_HONEYPOT, VERSION, Event
from sendtrail.ids import relabel_id
from streams.items import Item, Known
from streams.judge import DELIVERED, repeats, verdicts
from streams.state.hits import Hit, Judgement, hits_value, read_hits
from streams.state.keys import DAY_MS, day_before, hits_key
from streams.steps.identify_person import client_key

RELABELLED_MS = 30 * 60_000
RUN = "worker"
_CONFIRMED = ("form", "one_click")
_JUDGED = frozenset(("open", "click", "optout", "mirror", DELIVERED))


def message_key(item: Item, known: Known) -> bytes | None:
    """What `judge_message` reads: the hits of the message on the log day."""
    event = item.event
    if event.kind not in _JUDGED or "flood" in item.found.marks:
        return None
    if event.kind == DELIVERED and not known.rules.group.before_delivery:
        return None
    return hits_key(item.origin.time_ms // DAY_MS, event.delivery, event.message)


def judge_message(item: Item, known: Known, key: bytes) -> None:
    """Judge this hit among the others, and the others with it."""
    mine, value = _hit(item), known.state.get(key)
    earlier_key = day_before(key) if _reaches_back(item, known) else None
    earlier_value = known.state.get(earlier_key) if earlier_key is not None else None
    if value is None and earlier_value is None:  # the first of its message, as most are
        known.state.put(key, hits_value([mine]))
        return
    days = {earlier_key: read_hits(earlier_value), key: read_hits(value)}
    before = [hit for hits in days.values() for hit in hits if hit.place < item.place]
    judged = _judged([*before, mine], item, known)
    _take(item, mine, judged[-1])
    changed = {hit.place: new for hit, new in zip(before, judged, strict=False) if _differs(hit, new, item.place)}
    item.origin.relabels += [_relabel(item, known, hit, changed[hit.place]) for hit in before if hit.place in changed]
    for day, hits in days.items():
        if day is not None:
            _keep(day, hits, changed, mine if day == key else None, item, known)


def _hit(item: Item) -> Hit:
    event, found = item.event, item.found
    event_id, log_ms = bytes.fromhex(event.event_id), item.origin.time_ms
    if event.kind == DELIVERED:
        return Hit(item.place, event_id, DELIVERED, event.event_time_ms, log_ms, "unknown", (), fixed=True)
    return Hit(
        item.place, event_id, event.kind, event.event_time_ms, log_ms, found.class_, found.class_reasons,
        client_key(event), event.url_id or 0, bool(event.flags & FLAG_HONEYPOT), event.how in _CONFIRMED,
    )  # fmt: skip


def _reaches_back(item: Item, known: Known) -> bool:
    day_began = item.origin.time_ms // DAY_MS * DAY_MS
    return (
        item.origin.time_ms - RELABELLED_MS < day_began or item.event.event_time_ms - known.open_repeat_ms < day_began
    )


def _judged(hits: list[Hit], item: Item, known: Known) -> list[Judgement]:
    """Every hit as it stands with the last one. What is too old to be re-labelled stays as it was."""
    young_ms = item.origin.time_ms - RELABELLED_MS
    old = [hit.judged(item.place) if hit.log_ms < young_ms else None for hit in hits]
    found = [
        (stays.class_, stays.reasons) if stays is not None else new
        for stays, new in zip(old, verdicts(hits, known.rules), strict=True)
    ]
    marks = repeats(
        hits, [class_ for class_, _ in found], [one.repeat if one else None for one in old], known.open_repeat_ms
    )
    return [Judgement(item.place, *verdict, repeat) for verdict, repeat in zip(found, marks, strict=True)]


def _take(item: Item, mine: Hit, judgement: Judgement) -> None:
    if mine.kind == DELIVERED:
        return
    item.found.class_, item.found.class_reasons = judgement.class_, judgement.reasons
    item.found.repeat = judgement.repeat
    mine.judgements = (judgement,)


def _differs(hit: Hit, new: Judgement, place: bytes) -> bool:
    stood = hit.judged(place)
    return (stood.class_, stood.repeat) != (new.class_, new.repeat)


def _keep(
    key: bytes, hits: list[Hit], changed: dict[bytes, Judgement], mine: Hit | None, item: Item, known: Known
) -> None:  # fmt: skip
    """Write a day's hits where there is something to add; what a first reading of this record added stays."""
    added = mine is not None and all(hit.place != mine.place for hit in hits)
    if mine is not None and added:
        hits = sorted([*hits, mine], key=lambda hit: hit.place)
    for hit in hits:
        new = changed.get(hit.place)
        if new is not None and all(judgement.place != new.place for judgement in hit.judgements):
            hit.judgements = tuple(sorted((*hit.judgements, new), key=lambda judgement: judgement.place))
            added = True
    if added:
        known.state.put(key, hits_value(hits))


def _relabel(item: Item, known: Known, hit: Hit, new: Judgement) -> Event:
    target, event = hit.event_id.hex(), item.event
    return Event(
        version=VERSION, event_id=relabel_id(item.origin.time_ms, f"{RUN} {item.place.hex()}", target), kind="relabel",
        event_time_ms=item.origin.time_ms, account=event.account, source="streams", delivery=event.delivery,
        message=event.message, target_id=target, new_class=new.class_, new_repeat=new.repeat,
        reasons=list(new.reasons), ruleset=known.rules.version, run=RUN,
    )  # fmt: skip
