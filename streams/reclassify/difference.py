"""What judging a delivery again changes: hits by kind and class, and the numbers of its reports in both cuts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from streams.reclassify.rejudge import Ruling

#: METRICS, Indicators: those that change with the class of a hit. In both cuts; `machine` counts hits of that class.
INDICATORS = (
    "recipient_open", "total_open", "recipient_click", "total_click", "opt_out_clicks", "mirror", "hits",
)  # fmt: skip
_COUNTED_KINDS = {"open": "total_open", "click": "total_click", "mirror": "mirror"}
CUTS = ("people", "all")


class Change(NamedTuple):
    """Hits that change alike. `reason`: the first one there is now, or of before where there is none any more."""

    kind: str
    before: str
    after: str
    reason: str


@dataclass
class Difference:
    """Filled message by message. `numbers[cut][indicator]` = before, after."""

    hits: int = 0
    young: int = 0
    left: int = 0
    changes: Counter[Change] = field(default_factory=Counter)
    before: dict[str, Counter[str]] = field(default_factory=lambda: {cut: Counter() for cut in CUTS})
    after: dict[str, Counter[str]] = field(default_factory=lambda: {cut: Counter() for cut in CUTS})

    def add(self, rulings: Sequence[Ruling], changed: Sequence[Ruling]) -> None:
        """Take in the hits of one message; `changed`: those that are re-labelled."""
        self.hits += len(rulings)
        self.young += sum(ruling.young for ruling in rulings)
        self.left += sum(ruling.left for ruling in rulings)
        ids = {ruling.hit.event_id for ruling in changed}
        for ruling in changed:
            self.changes[_change(ruling)] += 1
        stands = [(one, one.hit.class_, one.hit.repeat) for one in rulings]
        becomes = [
            (one, one.class_, one.repeat) if one.hit.event_id in ids else stood
            for one, stood in zip(rulings, stands, strict=True)
        ]
        for numbers, judged in ((self.before, stands), (self.after, becomes)):
            for cut in CUTS:
                _count(numbers[cut], [one for one, class_, repeat in judged if _counts(cut, one, class_, repeat)])

    def numbers(self) -> dict[str, dict[str, tuple[int, int]]]:
        """By cut and indicator: before, after."""
        return {cut: {name: (self.before[cut][name], self.after[cut][name]) for name in INDICATORS} for cut in CUTS}


def _change(ruling: Ruling) -> Change:
    hit = ruling.hit
    before, after = _called(hit.class_, hit.repeat), _called(ruling.class_, ruling.repeat)
    new = [reason for reason in ruling.reasons if reason not in hit.reasons]
    gone = [reason for reason in hit.reasons if reason not in ruling.reasons]
    reason = new[0] if new else f"no longer {gone[0]}" if gone else "repeat"
    return Change(hit.kind, before, after, reason)


def _called(class_: str, repeat: bool) -> str:
    return f"{class_}, repeat" if repeat else class_


def _counts(cut: str, one: Ruling, class_: str, repeat: bool) -> bool:
    return one.hit.counts and not repeat and (cut == "all" or class_ != "machine")


def _count(numbers: Counter[str], hits: Sequence[Ruling]) -> None:
    for one in hits:
        kind, how = one.hit.kind, one.hit.how
        numbers["hits"] += 1
        if kind in _COUNTED_KINDS:
            numbers[_COUNTED_KINDS[kind]] += 1
        elif kind == "optout" and how == "view":
            numbers["opt_out_clicks"] += 1
    numbers["recipient_open"] += any(one.hit.how != "one_click" for one in hits)
    numbers["recipient_click"] += any(one.hit.kind == "click" for one in hits)
