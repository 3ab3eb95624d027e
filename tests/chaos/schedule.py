"""seed -> which faults a run has, and when (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

DAY_MS = 86_400_000
MINUTE_MS = 60_000

EDGES = ("edge1", "edge2")
FORWARDERS = ("forward1", "forward2")
WORKERS = ("worker1", "worker2")
LOADERS = ("loader1", "loader2")
#: Workers and loaders that come and go.
EXTRA_WORKERS = ("worker3", "worker4")
EXTRA_LOADERS = ("loader3",)
BROKERS = ("broker1", "broker2", "broker3")
#: Where an engine is killed while it renames a part into place.
TABLES = ("events", "message_activity", "url_activity", "stat_minute", "breakdown", "message_state", "audit")
POISONS = ("garbage", "no_headers", "wrong_count", "wrong_partition", "future", "old_pack", "transaction")
#: Session time of workers and loaders, which a freeze "past the session" outlasts. Kafka allows none below.
SESSION_S = 6


class Fault(NamedTuple):
    """One fault. `at_s`: seconds from the start of the run; `seconds`: how long it lasts, where it lasts."""

    at_s: float
    lane: str
    kind: str
    target: str = ""
    seconds: float = 0.0
    detail: str = ""

    def __str__(self) -> str:
        lasting = f" for {self.seconds:.1f} s" if self.seconds else ""
        return " ".join(filter(None, (self.kind.replace("_", " "), self.target, self.detail))) + lasting


class Card(NamedTuple):
    """A kind of fault: whom it may hit, how long it lasts (from, to), what may be said of it, how often it is dealt."""

    kind: str
    targets: tuple[str, ...] = ("",)
    seconds: tuple[float, float] = (0.0, 0.0)
    details: tuple[str, ...] = ("",)


class Lane(NamedTuple):
    """Faults that come one after the other; lanes run beside each other. `calm_s`: what it takes to be well again."""

    cards: tuple[Card, ...]
    calm_s: float


_PAST_SESSION = (SESSION_S + 2.0, SESSION_S + 4.0)

LANES: dict[str, Lane] = {
    "edge": Lane((
        Card("kill", EDGES),
        Card("kill_child", EDGES),
        Card("stop", EDGES),
        Card("freeze", EDGES, (1.0, 4.0)),
        Card("fill_disk", EDGES, (2.0, 4.0)),
    ), 3.0),
    "feed": Lane((
        Card("kill", ("api",)),
        Card("stop", ("api",)),
        Card("freeze", ("api",), (1.0, 4.0)),
        Card("fill_disk", ("api",), (2.0, 4.0)),
    ), 3.0),
    "forward": Lane((
        Card("kill", FORWARDERS),
        Card("kill", FORWARDERS),
        Card("stop", FORWARDERS),
        Card("freeze", FORWARDERS, (3.0, 9.0)),
    ), 3.0),
    "worker": Lane((
        Card("kill", WORKERS),
        Card("stop", WORKERS),
        Card("freeze", WORKERS, _PAST_SESSION),
        Card("storm", EXTRA_WORKERS[:1]),
        Card("lose_state", WORKERS),
        Card("lose_state", WORKERS, details=("and checkpoints",)),
        Card("damage", WORKERS, details=("state", "checkpoint")),
    ), 6.0),
    "loader": Lane((
        Card("kill", LOADERS),
        Card("stop", LOADERS),
        Card("freeze", LOADERS, _PAST_SESSION),
        Card("storm", EXTRA_LOADERS),
    ), 5.0),
    "engine": Lane((
        Card("kill", ("engine",)),
        Card("kill_in_insert", ("engine",)),
        Card("kill_at_rename", ("engine",), details=TABLES),
        Card("stop", ("engine",)),
        Card("freeze", ("engine",), (5.0, 12.0)),
        Card("slow", ("engine",), (4.0, 10.0)),
    ), 5.0),
    "broker": Lane((
        Card("kill", BROKERS),
        Card("stop", BROKERS),
        Card("freeze", BROKERS, (4.0, 8.0)),
        Card("kill_all_but", BROKERS),
    ), 9.0),
    "input": Lane((
        *(Card("poison", details=(poison,)) for poison in POISONS),
        Card("step_clock", EDGES, (2.0, 5.0), (str(-9 * DAY_MS), str(-60 * MINUTE_MS))),
        Card("step_clock", EDGES, (2.0, 5.0), (str(2 * DAY_MS), str(60 * MINUTE_MS))),
        Card("step_clock", ("api",), (2.0, 5.0), (str(-2 * MINUTE_MS), str(2 * MINUTE_MS))),
        Card("step_clock", (*FORWARDERS, *WORKERS, *LOADERS), (3.0, 8.0), (str(-DAY_MS), str(DAY_MS))),
    ), 0.5),
}  # fmt: skip


#: Every so often no fault begins for a while, and until the line has caught up (lanes.py): faults are to meet a line
#: that works, not one that never got up.
ROUND_S = 90.0
LULL_S = 20.0
#: Between two faults of a lane: at first, so that a short run meets many; later now this, now that.
_SHORT_GAP_S = (0.2, 4.0)
_LONG_GAP_S = (10.0, 30.0)
_LONG_CHANCE = 0.5
_FIRST_S = 40.0


def schedule(seed: int, seconds: float) -> dict[str, list[Fault]]:
    """The faults of each lane, in time order; the first of a lane is always there, however short the run.

    A lane's cards are shuffled and dealt; every card comes once before any comes again. The last LULL_S of each
    ROUND_S are quiet.
    """
    return {name: list(_lane(name, lane, Random(f"{seed}/{name}"), seconds)) for name, lane in LANES.items()}


def _lane(name: str, lane: Lane, dice: Random, seconds: float) -> Iterator[Fault]:
    at_s = dice.uniform(0.0, 3.0)
    deck: list[Card] = []
    while True:
        if not deck:
            deck = dice.sample(lane.cards, len(lane.cards))
        card = deck.pop()
        lasts = dice.uniform(*card.seconds)
        yield Fault(at_s, name, card.kind, dice.choice(card.targets), lasts, dice.choice(card.details))
        long = at_s > _FIRST_S and dice.random() < _LONG_CHANCE
        gap = _LONG_GAP_S if long else _SHORT_GAP_S
        at_s = _past_lull(at_s + lasts + lane.calm_s + dice.uniform(*gap), dice)
        if at_s >= seconds:
            return


def _past_lull(at_s: float, dice: Random) -> float:
    if at_s % ROUND_S < ROUND_S - LULL_S:
        return at_s
    return (at_s // ROUND_S + 1) * ROUND_S + dice.uniform(0.0, 3.0)
