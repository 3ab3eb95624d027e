"""A message's hits, judged as of one place in the log -> re-labels of those that stand differently from before.

A re-label is due where a record changes the class or the repeat mark of an earlier hit that is at most half an hour of
log time old; older ones are left to `sendtrail reclassify` (DESIGN §6). It leaves with that record; the loader knows
the row it corrects.
"""

from typing import NamedTuple

from sendtrail.events import VERSION, Event
from sendtrail.ids import relabel_id
from streams.items import Item, Known
from streams.judge import repeats, say_nothing, verdicts
from streams.state.hits import KEPT, Hit, Judgement, hits_value

RELABELLED_MS = 30 * 60_000
RUN = "worker"


class Message(NamedTuple):
    """A message, and its hits by the key of their log day, in order."""

    delivery: int
    message: int
    days: dict[bytes, list[Hit]]


def judge(message: Message, item: Item, known: Known, mine: Hit | None) -> Judgement | None:
    """Judge all hits before `item`, and `mine`, the item's own where it is of this message; keep what changed.

    Returns the judgement of `mine`. Re-labels go to the item's record.
    """
    if mine is not None and len(message.days) == 1:
        (of_day,) = message.days.values()
        if len(of_day) < KEPT and of_day[-1].place < item.place and say_nothing([*of_day, mine], known.rules):
            return _alone(message, item, known, mine)
    before = [hit for hits in message.days.values() for hit in hits if hit.place < item.place]
    hits = before if mine is None else [*before, mine]
    judged = _judged(hits, item, known)
    own = judged[-1] if mine is not None else None
    if mine is not None and own is not None and own != mine.by_itself():
        mine.judgements = (own,)
    changed = {hit.place: new for hit, new in zip(before, judged, strict=False) if _differs(hit, new, item.place)}
    for hit in before:
        if hit.place in changed:
            item.origin.relabels.append(_relabel(item, known, message, hit, changed[hit.place]))
    last = len(message.days) - 1
    for number, (key, of_day) in enumerate(message.days.items()):
        _keep(key, of_day, changed, mine if number == last else None, known)
    return own


def _alone(message: Message, item: Item, known: Known, mine: Hit) -> Judgement:
    """Where hits say nothing of each other, only the repeat mark of the newest is open: none of the others has one."""
    ((key, before),) = message.days.items()
    repeat = False
    if mine.kind == "open" and known.open_repeat_ms:
        for hit in reversed(before):
            if hit.kind == "open" and hit.client == mine.client and hit.class_ == mine.class_:
                repeat = abs(hit.time_ms - mine.time_ms) <= known.open_repeat_ms
                break
    own = Judgement(item.place, mine.class_, mine.reasons, repeat)
    if repeat:
        mine.judgements = (own,)
    known.state.put(key, hits_value([*before, mine]))
    return own


def _judged(hits: list[Hit], item: Item, known: Known) -> list[Judgement]:
    """Every hit as it stands with this record. What is too old to be re-labelled stays as it was."""
    young_ms = item.origin.time_ms - RELABELLED_MS
    found = verdicts(hits, known.rules, item.place)
    stays: list[bool | None] = [None] * len(hits)
    for number, hit in enumerate(hits):
        if hit.log_ms < young_ms:
            stood = hit.judged(item.place)
            found[number], stays[number] = (stood.class_, stood.reasons), stood.repeat
    marks = repeats(hits, [class_ for class_, _ in found], stays, known.open_repeat_ms)
    return [
        Judgement(item.place, class_, reasons, repeat) for (class_, reasons), repeat in zip(found, marks, strict=True)
    ]


def _differs(hit: Hit, new: Judgement, place: bytes) -> bool:
    stood = hit.judged(place)
    return (stood.class_, stood.repeat) != (new.class_, new.repeat)


def _keep(key: bytes, hits: list[Hit], changed: dict[bytes, Judgement], mine: Hit | None, known: Known) -> None:
    """Write a day's hits where there is something to add; what a first reading of this record added stays."""
    added = False
    if mine is not None and all(hit.place != mine.place for hit in hits):
        hits = sorted([*hits, mine], key=lambda hit: hit.place)
        added = True
    for hit in hits:
        new = changed.get(hit.place)
        if new is not None and all(judgement.place != new.place for judgement in hit.judgements):
            hit.judgements = tuple(sorted((*hit.judgements, new), key=lambda judgement: judgement.place))
            added = True
    if added:
        known.state.put(key, hits_value(hits))


def _relabel(item: Item, known: Known, message: Message, hit: Hit, new: Judgement) -> Event:
    target = hit.event_id.hex()
    return Event(
        version=VERSION, event_id=relabel_id(item.origin.time_ms, f"{RUN} {item.place.hex()}", target), kind="relabel",
        event_time_ms=item.origin.time_ms, account=item.event.account, source="streams", delivery=message.delivery,
        message=message.message, target_id=target, new_class=new.class_, new_repeat=new.repeat,
        reasons=list(new.reasons), ruleset=known.rules.version, run=RUN,
    )  # fmt: skip
