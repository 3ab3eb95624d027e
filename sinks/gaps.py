"""Gaps in the chain: which source records no enriched record covers, and what helps (pure)."""

from typing import NamedTuple

from sendtrail.enriched import EnrichedHeader
from sinks.chain import Verdict, judge


class Held(NamedTuple):
    """The offsets [begin, end) of a log that are still there."""

    begin: int
    end: int


class Span(NamedTuple):
    """Source offsets `first` to `last`, both included."""

    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first} to {self.last}" if self.last > self.first else str(self.first)

    @property
    def records(self) -> int:
        """How many offsets there are; a log may hold fewer records."""
        return self.last - self.first + 1


def gone(span: Span, held: Held) -> Span | None:
    """The part of a gap that the log lost: to retention, or with a broker's disk."""
    if span.first >= held.begin:
        return Span(max(span.first, held.end), span.last) if span.last >= held.end else None
    return Span(span.first, min(span.last, held.begin - 1))


def readable(span: Span, held: Held) -> Span | None:
    """The part of a gap that can be read again, and so be enriched again."""
    first, last = max(span.first, held.begin), min(span.last, held.end - 1)
    return Span(first, last) if first <= last else None


def remedy(partition: int, first: int, last: int, held: Held) -> str:
    """What an operator is told to do about a gap: commands that can be run as they are."""
    span = Span(first, last)
    lost, there = gone(span, held), readable(span, held)
    repair = f"sendtrail chain repair --partition {partition}"
    if lost is None:
        return f"tracking.events still has them; have them enriched again: {repair}"
    accept = f'sendtrail chain accept-gap --partition {partition} --reason "…"'
    if there is None:
        return f"tracking.events has them no more; to go on without them: {accept}"
    return f"tracking.events has {there} still and {lost} no more; go on without those, then repair: {accept}; {repair}"


class Walk:
    """Follows the chain of one partition through tracking.enriched, from a known position, loading nothing."""

    def __init__(self, topic_id: str, last: int) -> None:
        self.topic_id, self.last = topic_id, last
        self._next: int | None = None  # smallest source offset that runs ahead

    def take(self, header: EnrichedHeader) -> Verdict:
        """Take the next record's header."""
        verdict = judge(self.topic_id, self.last, header)
        if verdict in (Verdict.NEXT, Verdict.OVERLAP):
            self.last = header.source_offset
            self._next = None
        elif verdict is Verdict.AHEAD:
            self._next = min(header.source_from, self._next if self._next is not None else header.source_from)
        return verdict

    def gap(self, processed: int) -> Span | None:
        """What is missing at the end of the walk. `processed`: the offset the workers' group committed before it began.

        A gap without a record behind it is one too, where the workers say that they are past it.
        """
        before = self._next if self._next is not None else processed
        return Span(self.last + 1, before - 1) if before > self.last + 1 else None
