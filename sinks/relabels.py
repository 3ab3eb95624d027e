"""Re-labels -> signed rows (FORMATS, Relabel in the loader).

A re-label writes -1 of the live row of its target and +1 with the new judgement and the next rev. A plan that is
redone must write the same rows, though by then ClickHouse may have merged the earlier ones away: so every row carries
its past judgements in `history`, and the row as it was before a re-label is found in whatever revision is left.
"""

from collections.abc import Mapping, MutableMapping
from typing import Any, NamedTuple

from sendtrail.enriched import RelabelRow
from sendtrail.errors import Invalid
from sinks.blocks import Place, StoredRow, Target
from sinks.columns import CLASSES, FIRST_FEED, MAX_UINT16, MAX_UINT32, REASON_SEPARATOR, is_hit

#: What a re-label changes, in the order of a `history` entry after its place (src_topic, src_offset, src_index).
JUDGED = ("class", "hit", "repeat", "reasons", "ruleset", "run")


class Pair(NamedTuple):
    """The two rows of one re-label."""

    minus: StoredRow
    plus: StoredRow


def target_of(relabel: RelabelRow) -> Target | None:
    """The event a re-label corrects; None if it does not name one soundly."""
    try:
        event_id = bytes.fromhex(relabel.target_id or "")
    except ValueError:
        return None
    return Target(relabel.delivery, event_id) if len(event_id) == 16 and relabel.delivery >> 64 == 0 else None


class Origin(NamedTuple):
    """Where a re-label's rows say they came from: place of the first, source partition, time of the record."""

    place: Place
    partition: int
    log_time_ms: int


def relabel(relabel: RelabelRow, origin: Origin, live: MutableMapping[Target, StoredRow]) -> Pair | Invalid:
    """The rows of one re-label, or why there are none (`unknown_target`, `bad_field`).

    `live`: newest row of each target, from `events` or from earlier rows of the same batch; it is brought up to date.
    """
    place = origin.place
    target = target_of(relabel)
    if target is None or relabel.new_class is None:
        return Invalid("bad_field", "a relabel names its target and the new class")
    if place.number + 1 > MAX_UINT32 or any(REASON_SEPARATOR in reason for reason in relabel.reasons):
        return Invalid("bad_field", "an index is out of range, or the name of a reason has a comma")
    newest = live.get(target)
    stored = as_of(newest, place) if newest is not None else None
    if stored is None:
        return Invalid("unknown_target", "no event of that delivery and id is stored")
    if stored["kind"] >= FIRST_FEED:
        return Invalid("unknown_target", "an event of the feed is not judged")
    if stored["rev"] >= MAX_UINT16:
        return Invalid("bad_field", f"the event was re-labelled {MAX_UINT16} times")
    pair = _pair(stored, relabel, origin)
    live[target] = pair.plus
    return pair


def place_of(row: Mapping[str, Any]) -> Place:
    """Where a row of `events` came from."""
    return Place(row["src_topic"], row["src_offset"], row["src_index"])


def as_of(newest: StoredRow, place: Place) -> StoredRow | None:
    """The revision of a row that was the live one before `place`; None if it was not stored yet."""
    if place_of(newest).is_below(place):
        return newest
    history = newest["history"]
    for rev in reversed(range(len(history))):
        topic_id, offset, index, *judged = history[rev]
        if Place(topic_id, offset, index).is_below(place):
            past = dict(zip(JUDGED, judged, strict=True))
            where = {"src_topic": topic_id, "src_offset": offset, "src_index": index}
            return {**newest, **past, **where, "rev": rev, "history": list(history[:rev])}
    return None


def _pair(stored: StoredRow, relabel: RelabelRow, origin: Origin) -> Pair:
    place = origin.place
    here = {
        "src_topic": place.topic_id,
        "src_partition": origin.partition,
        "src_offset": place.offset,
        "log_time": origin.log_time_ms,
    }
    minus = {**stored, **here, "sign": -1, "src_index": place.number}
    repeat = stored["repeat"] if relabel.new_repeat is None else int(relabel.new_repeat)
    plus = {
        **stored,
        **here,
        "sign": 1,
        "src_index": place.number + 1,
        "rev": stored["rev"] + 1,
        "class": CLASSES[str(relabel.new_class)],
        "repeat": repeat,
        "hit": int(is_hit(stored["kind"], repeat, stored["seed"], stored["marks"])),
        "reasons": REASON_SEPARATOR.join(relabel.reasons),
        "ruleset": relabel.ruleset,
        "run": relabel.run,
        "history": [*stored["history"], (*place_of(stored), *(stored[name] for name in JUDGED))],
    }
    return Pair(minus, plus)
