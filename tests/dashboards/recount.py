"""Every number of METRICS counted again, from happenings, by loops and sets: no SQL and no formula of the reports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

from tests.dashboards.happenings import Happening, Registered

FEED = {"prepared", "sent", "delivered", "deferred", "bounced", "complained", "rejected", "unsubscribed"}
_HARD = {"unknown_user", "invalid_domain"}
_FINAL = ["bounced_soft", "bounced_hard", "rejected", "delivered"]  # at equal times the later name wins


class Recount:
    """The counted-again numbers of one delivery in one cut."""

    def __init__(self, happenings: Iterable[Happening], delivery: Registered, people: bool) -> None:
        mine = [one for one in happenings if one.delivery == delivery.delivery]
        self.delivery, self.people, self.mine = delivery, people, mine
        self.hits = [one for one in mine if one.in_cut(people)]
        self.seeds = {one.message for one in mine if one.kind in FEED and one.seed}
        self.feed = [one for one in mine if one.kind in FEED and one.message not in self.seeds]
        self.states = states(self.feed)
        self._start = self._began()

    def messages(self, wanted: Callable[[Happening], bool]) -> set[int]:
        """Messages with a wanted hit."""
        return {one.message for one in self.hits if wanted(one)}

    def fed(self, kind: str) -> set[int]:
        """Messages with that feed event."""
        return {one.message for one in self.feed if one.kind == kind}

    def count(self, wanted: Callable[[Happening], bool]) -> int:
        """How many wanted hits."""
        return sum(1 for one in self.hits if wanted(one))

    @property
    def to_deliver(self) -> int:
        given = self.delivery.to_deliver
        return len({one.message for one in self.feed}) if given is None else given

    @property
    def success(self) -> int:
        if any(one.kind != "prepared" for one in self.feed):
            return sum(1 for state in self.states.values() if state in ("sent", "delivered"))
        return self.to_deliver if self.delivery.success is None else self.delivery.success

    def base(self) -> dict[str, int]:
        """Numbers that add up over deliveries."""
        numbers = {state: list(self.states.values()).count(state) for state in ["sent", "deferred", *_FINAL]}
        done = self.messages(lambda one: one.how in ("form", "one_click"))
        everybody = [one for one in self.mine if one.hit]
        opened = self.messages(lambda one: one.how != "one_click")
        clicked = self.messages(lambda one: one.kind == "click")
        total_open = self.count(lambda one: one.kind == "open")
        text = len({one.message for one in self.feed if one.format == "text"})
        return numbers | {
            "to_deliver": self.to_deliver,
            "text": text,
            "processed": len(self.states),
            "success": self.success,
            "complained": len(self.fed("complained")),
            "unsubscribed": len((done - self.seeds) | self.fed("unsubscribed")),
            "recipient_open": len(opened),
            "total_open": total_open,
            "estimated_recipient_open": estimate(len(opened), self.to_deliver, text),
            "estimated_total_open": estimate(total_open, self.to_deliver, text),
            "recipient_click": len(clicked),
            "total_click": self.count(lambda one: one.kind == "click"),
            "forwards": max(len(self.persons()) - len(clicked), 0),
            "opt_out_clicks": self.count(lambda one: one.how == "view"),
            "opt_outs": len(done),
            "mirror": self.count(lambda one: one.kind == "mirror"),
            "visits": self.count(lambda one: one.kind in ("web", "transaction")),
            "transactions": self.count(lambda one: one.kind == "transaction"),
            "hits_people": sum(1 for one in everybody if one.final.class_ != "machine"),
            "machine_hits": sum(1 for one in everybody if one.final.class_ == "machine"),
        }

    def persons(self) -> set[int]:
        """Persons with a click."""
        return {one.person for one in self.hits if one.kind == "click"}

    def start(self) -> int | None:
        """Contact date, else first sent, else first hit of anybody."""
        return self._start

    def _began(self) -> int | None:
        if self.delivery.contact_ms is not None:
            return self.delivery.contact_ms
        sent = [one.time_ms for one in self.mine if one.kind == "sent" and not one.seed]
        hits = [one.time_ms for one in self.mine if one.hit]
        return min(sent or hits, default=None)

    def elapsed(self, kind: str) -> list[int]:
        """Milliseconds since the start of every hit of a kind, ascending."""
        start = self.start() or 0
        return sorted(max(0, one.time_ms - start) for one in self.hits if one.kind == kind)

    def firsts(self, kind: str) -> list[int]:
        """Milliseconds from the start to each message's first hit of a kind."""
        first: dict[int, int] = {}
        for one in self.hits:
            if one.kind == kind:
                first[one.message] = min(one.time_ms, first.get(one.message, one.time_ms))
        return [max(0, at - (self.start() or 0)) for at in first.values()]


def states(feed: Sequence[Happening]) -> dict[int, str]:
    """State of each message: a final one beats sent and deferred; among equals the latest; ties as METRICS says."""
    best: dict[int, tuple[bool, int, int, str]] = {}
    for one in feed:
        if one.kind not in ("sent", "deferred", "delivered", "bounced", "rejected"):
            continue
        state = ("bounced_hard" if one.reason in _HARD else "bounced_soft") if one.kind == "bounced" else one.kind
        rank = _FINAL.index(state) if state in _FINAL else ["sent", "deferred"].index(state)
        candidate = (state in _FINAL, one.time_ms, rank, state)
        best[one.message] = max(candidate, best.get(one.message, candidate))
    return {message: found[3] for message, found in best.items()}


_REASONS = ["unknown_user", "invalid_domain", "refused", "mailbox_full", "unreachable", "policy", "spam", "other"]


def last_states(one: Recount) -> dict[int, tuple[str, str]]:
    """State and reason of each message; of equal events the later reason of the closed list."""
    order = ["sent", "deferred", *_FINAL]
    best: dict[int, tuple[bool, int, int, int]] = {}
    for event in one.feed:
        state = event.kind
        if state == "bounced":
            state = "bounced_hard" if event.reason in _HARD else "bounced_soft"
        if state in order:
            reason = _REASONS.index(event.reason) if event.reason else -1
            candidate = (state in _FINAL, event.time_ms, order.index(state), reason)
            best[event.message] = max(candidate, best.get(event.message, candidate))
    return {message: (order[b[2]], _REASONS[b[3]] if b[3] >= 0 else "") for message, b in best.items()}


def estimate(opens: int, to_deliver: int, text: int) -> int:
    """The suites' formula with decimals instead of integers."""
    if to_deliver - text <= 0:
        return 0
    value = Decimal(opens) * to_deliver / (to_deliver - text)
    return int(value.quantize(Decimal(1), ROUND_HALF_UP))


RATES = {
    "processed_rate": ("processed", "to_deliver"),
    "success_rate": ("success", "processed"),
    "open_rate": ("recipient_open", "success"),
    "click_rate": ("recipient_click", "success"),
    "person_click_rate": ("person_click", "success"),
    "cumulated_click_rate": ("total_click", "success"),
    "raw_reactivity": ("recipient_click", "recipient_open"),
    "estimated_reactivity": ("recipient_click", "estimated_recipient_open"),
    "ctr": ("recipient_click", "delivered"),
    "opt_out_click_rate": ("opt_out_clicks", "success"),
    "unsubscribe_rate": ("unsubscribed", "success"),
}


def indicators(recounts: Sequence[Recount]) -> dict[str, Any]:
    """All indicators of deliveries together."""
    numbers: dict[str, Any] = defaultdict(int)
    for recount in recounts:
        for name, number in recount.base().items():
            numbers[name] += number
    numbers["person_click"] = len(set().union(*(recount.persons() for recount in recounts)))
    numbers["targeted"] = sum(r.delivery.targeted or 0 for r in recounts) or None
    all_hits = numbers["hits_people"] + numbers["machine_hits"]
    for name, (above, below) in RATES.items():
        numbers[name] = None if numbers[below] == 0 else Fraction(numbers[above], numbers[below])
    numbers["machine_share"] = None if all_hits == 0 else Fraction(numbers["machine_hits"], all_hits)
    for kind in ("open", "click"):
        firsts = sorted(first for recount in recounts for first in recount.firsts(kind))
        numbers[f"median_first_{kind}_ms"] = firsts[(len(firsts) - 1) // 2] if firsts else None
    return dict(numbers)


def reached(elapsed: Sequence[int], percent: int) -> int | None:
    """When p % of the hits are there: walk until the count is at least ⌈p · N⌉."""
    needed = -(-len(elapsed) * percent // 100)
    for count, at in enumerate(elapsed, 1):
        if count >= needed:
            return at
    return None
