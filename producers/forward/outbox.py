"""Parcels between the spool and Kafka: bounded in bytes, in order per partition, repeated until acknowledged. Pure.

One group of parcels per partition is under way at a time, so that a group that fails is repeated before anything later
is sent. Any failure means "unknown outcome": the same bytes go again, and what is there twice is dropped downstream.
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from producers.forward.parcel import Parcel, smaller

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
    """`put` parcels while there is `room`, send what `due` gives, tell `settle` how each ended."""

    def __init__(self, limit_bytes: int) -> None:
        self.held_bytes = 0
        self.in_flight = 0
        self.failures: list[Failure] = []
        self.given_up: list[Parcel] = []
        self._limit_bytes = limit_bytes
        self._lanes: dict[tuple[str, int], _Lane] = {}

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

    def due(self) -> Iterator[Parcel]:
        """The parcels to send now: a group for every partition that has none under way."""
        for lane in self._lanes.values():
            if lane.group or not lane.waiting:
                continue
            size = 0
            while lane.waiting and (not lane.group or size + lane.waiting[0].size <= GROUP_BYTES):
                parcel = lane.waiting.popleft()
                size += parcel.size
                lane.group.append(parcel)
            self.in_flight += len(lane.group)
            yield from list(lane.group)

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
        return through

    def _again(self, lane: _Lane, failure: Failure, parcels: list[Parcel]) -> None:
        if failure.too_large:
            first, *others = parcels
            parts = smaller(first)
            self.held_bytes += sum(part.size for part in parts) - first.size
            if not parts:
                self.given_up.append(first)
            first.owner.replaced(first, len(parts))
            parcels = [*parts, *others]
        else:
            self.failures.append(failure)
        lane.waiting.extendleft(reversed(parcels))
