"""Which events of a spool's segments did not arrive, and where in the topic they were lost (pure)."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sinks.audit_findings import Hole, Segment

Minutes = Counter[int]
#: Segment and partition -> events that were accepted and did not arrive, by minute.
Short = dict[tuple[Segment, int], Minutes]


class Pack(NamedTuple):
    """A loaded pack: source partition and offset, index range in its segment, events that had not come before."""

    partition: int
    offset: int
    first: int
    last: int
    events: int


def missing_indexes(packs: Iterable[Pack], events: int) -> list[tuple[int, int]]:
    """Index ranges of a segment of `events` that hold those that did not arrive.

    The forwarder cuts the packs of all partitions at the same index. So packs whose ranges overlap are of one batch,
    and where a batch holds fewer events than indexes, the rest was in a pack of it that is missing.
    """
    found: list[tuple[int, int]] = []
    reached, begin, held = -1, 0, 0

    def close() -> None:
        if held < reached - begin + 1:
            found.append((begin, reached))

    for pack in sorted(packs, key=lambda pack: (pack.first, pack.last)):
        if pack.first > reached:
            close()
            if pack.first > reached + 1:
                found.append((reached + 1, pack.first - 1))
            begin, held = pack.first, 0
        held += pack.events
        reached = max(reached, pack.last)
    close()
    if reached + 1 < events:
        found.append((reached + 1, events - 1))
    return _joined(found)


def _joined(ranges: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in ranges:
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


#: Spool and partition -> segment, first and last source offset of its packs there; in order.
Places = Mapping[tuple[str, int], Sequence[tuple[int, int, int]]]


def assign(short: Short, places: Places, holes: Sequence[Hole]) -> dict[Hole | None, Short]:
    """Which hole of the topic swallowed which events; None: none did.

    Packs of a spool keep their order in a partition. So what is missing of a segment lies behind the last pack of the
    segments before it, and before the first one of those after it.
    """
    by_partition: dict[int, list[Hole]] = defaultdict(list)
    for hole in holes:
        by_partition[hole.partition].append(hole)
    found: dict[Hole | None, Short] = defaultdict(dict)
    for (segment, partition), minutes in short.items():
        first, last = _between(places.get((segment.spool, partition), ()), segment.sequence)
        candidates = [hole for hole in by_partition[partition] if hole.last > first and (hole.first < last)]
        found[_likeliest(candidates)][segment, partition] = minutes
    return dict(found)


def _between(places: Sequence[tuple[int, int, int]], sequence: int) -> tuple[int, float]:
    at = bisect_left(places, (sequence, 0, 0))
    before = places[at - 1][2] if at else -1
    after = at + 1 if at < len(places) and places[at][0] == sequence else at
    return before, places[after][1] if after < len(places) else float("inf")


def _likeliest(candidates: Sequence[Hole]) -> Hole | None:
    """Of several, one that holds records by all that is known, rather than offsets that markers may have taken."""
    return min(candidates, key=lambda hole: (hole.kind == "empty", hole.first), default=None)


def total(short: Short) -> Minutes:
    """All of it, by minute."""
    summed: Minutes = Counter()
    for minutes in short.values():
        summed.update(minutes)
    return summed
