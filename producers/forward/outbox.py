"""Parcels between the spool and Kafka: bounded in bytes, in order per partition, repeated until acknowledged. Pure.

One group of parcels per partition is under way at a time, so that a group that fails is repeated before anything later
is sent. Any failure means "unknown outcome": the same bytes go again, and what is there twice is dropped downstream.
"""

from collections import deque
from typing import NamedTuple

from producers.forward.parcel import MIN_LINE_BYTES, Parcel, smaller

#: Bytes of one group, which Kafka gets as one batch where they fit.
GROUP_BYTES = 512 * 1024


class Failure(NamedTuple):
    """A send whose outcome is unknown, or that the broker refused for its size."""

    error: str
    too_large: bool = False


#: How a send ended: the record's time in Kafka in milliseconds, or a failure.
Outcome = int | Failure


class _Lane:
    """The parcels of one partition: those that wait, and the group under way with what is known of it."""

    __slots__ = ("group", "outcomes", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[Parcel] = deque()
        self.group: list[Parcel] = []
        self.outcomes: dict[int, Outcome] = {}


class Outbox:
    """`put` parcels while there is `room`, send what `due` gives, tell `settle` how each ended.

    A producer that was refused one record for its size refuses all others with the same words (FACTS §2,
    docs/decisions/0006). So what is refused goes again alone; only what is refused alone is really too large, and the
    largest size to send is learned from it.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.held_bytes = 0
        self.in_flight = 0
        self.failures: list[Failure] = []
        self.given_up: list[Parcel] = []
        self.most_bytes = GROUP_BYTES
        self._limit_bytes = limit_bytes
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._suspects: set[Parcel] = set()

    @property
    def room(self) -> bool:
        """False while as many bytes as allowed wait for acknowledgement."""
        return self.held_bytes < self._limit_bytes

    @property
    def empty(self) -> bool:
        return self.held_bytes == 0

    def put(self, parcel: Parcel) -> None:
        """Take a parcel, behind those of its partition."""
        self.held_bytes += parcel.size
        self._lanes.setdefault((parcel.topic, parcel.partition), _Lane()).waiting.append(parcel)

    def due(self) -> list[Parcel]:
        """The parcels to send now: a group for every partition that has none under way; or one suspect alone."""
        suspect = next((lane for lane in self._lanes.values() if self._is_suspect(lane)), None)
        if suspect is not None:
            lanes = [] if self.in_flight else [suspect]
        else:
            lanes = [lane for lane in self._lanes.values() if lane.waiting and not lane.group]
        due: list[Parcel] = []
        for lane in lanes:
            lane.group = [lane.waiting.popleft()] if suspect is not None else self._group(lane.waiting)
            self.in_flight += len(lane.group)
            due += lane.group
        return due

    def settle(self, parcel: Parcel, outcome: Outcome) -> list[tuple[Parcel, int]]:
        """Note how a send ended. Gives the parcels, with their times, that are now known to be in Kafka in order.

        A group is judged when all of it has ended: what stands before the first failure is through, the failed parcel
        and all behind it go again.
        """
        lane = self._lanes[parcel.topic, parcel.partition]
        self.in_flight -= 1
        lane.outcomes[id(parcel)] = outcome
        if len(lane.outcomes) < len(lane.group):
            return []
        through: list[tuple[Parcel, int]] = []
        group, outcomes = lane.group, lane.outcomes
        lane.group, lane.outcomes = [], {}
        for position, sent in enumerate(group):
            result = outcomes[id(sent)]
            if isinstance(result, Failure):
                self._again(lane, result, group[position:])
                break
            through.append((sent, result))
            self.held_bytes -= sent.size
            self._suspects.discard(sent)
        return through

    def recall(self) -> None:
        """Give up on whatever is under way: the next `due` gives it again."""
        for lane in self._lanes.values():
            lane.waiting.extendleft(reversed(lane.group))
            lane.group, lane.outcomes = [], {}
        self.in_flight = 0
        self.failures.clear()

    def _is_suspect(self, lane: _Lane) -> bool:
        return bool(lane.waiting) and lane.waiting[0] in self._suspects

    def _group(self, waiting: deque[Parcel]) -> list[Parcel]:
        """The next parcels of a partition that fit into one batch, up to the next suspect."""
        group, size = list[Parcel](), 0
        while waiting and waiting[0] not in self._suspects:
            if waiting[0].size > self.most_bytes and waiting[0].events > 1:
                self._replace(waiting.popleft(), waiting)
            elif group and size + waiting[0].size > self.most_bytes:
                break
            else:
                group.append(waiting.popleft())
                size += group[-1].size
        return group

    def _again(self, lane: _Lane, failure: Failure, parcels: list[Parcel]) -> None:
        first = parcels[0]
        self.failures.append(failure)
        if not failure.too_large:
            lane.waiting.extendleft(reversed(parcels))
        elif first in self._suspects:
            self._suspects.discard(first)
            self.most_bytes = max(min(self.most_bytes, first.size // 2), MIN_LINE_BYTES)
            self._replace(first, lane.waiting)
        else:
            self._suspects.add(first)
            lane.waiting.extendleft(reversed(parcels))

    def _replace(self, parcel: Parcel, waiting: deque[Parcel]) -> None:
        """Put smaller parcels in the place of one; none where it can't be smaller."""
        parts = smaller(parcel)
        self.held_bytes += sum(part.size for part in parts) - parcel.size
        if not parts:
            self.given_up.append(parcel)
        parcel.owner.replaced(parcel, len(parts))
        waiting.extendleft(reversed(parts))
