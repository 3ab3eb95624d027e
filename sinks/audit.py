"""segments + packs + enriched records + rows -> a balance per minute (pure); nothing comes from process counters.

An event that was accepted is a row, or a duplicate of one, or a reject, or still on its way; what is left over is the
difference, and it is 0. Minutes are epoch minutes of the event id; minute 0 holds ids without a time.
"""

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import NamedTuple

Minutes = Counter[int]


class Segment(NamedTuple):
    """A spool segment by its spool (32 hex digits) and sequence."""

    spool: str
    sequence: int


@dataclass
class Books:
    """What each source says, by minute. `tail` is what the topic holds beyond the loaded records.

    `arrived` and `totalled` are of the segments that are on disk or in the tail: what of them is loaded.
    """

    accepted_totals: Minutes = field(default_factory=Counter)
    direct: Minutes = field(default_factory=Counter)
    events_in: Minutes = field(default_factory=Counter)
    resent: Minutes = field(default_factory=Counter)
    duplicate: Minutes = field(default_factory=Counter)
    rejected: Minutes = field(default_factory=Counter)
    enriched: Minutes = field(default_factory=Counter)
    stored: Minutes = field(default_factory=Counter)
    on_disk: dict[Segment, Minutes] = field(default_factory=dict)
    arrived: dict[Segment, Minutes] = field(default_factory=dict)
    totalled: dict[Segment, Minutes] = field(default_factory=dict)
    tail: Minutes = field(default_factory=Counter)
    tail_direct: Minutes = field(default_factory=Counter)
    tail_by_segment: dict[Segment, Minutes] = field(default_factory=dict)
    tail_totals: dict[Segment, Minutes] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@dataclass
class Line:
    """One minute, or the total. `waiting`: accepted and not loaded yet, on disk or in the topic."""

    accepted: int = 0
    in_topic: int = 0
    resent: int = 0
    duplicate: int = 0
    rejected: int = 0
    enriched: int = 0
    stored: int = 0
    waiting: int = 0
    difference: int = 0

    def add(self, other: "Line") -> None:
        """Add another line's numbers to this one's."""
        for column in fields(self):
            setattr(self, column.name, getattr(self, column.name) + getattr(other, column.name))


class Audit(NamedTuple):
    """The balance. `even` when nothing is lost, doubled or unexplained; what still waits does not unbalance it."""

    minutes: dict[int, Line]
    total: Line
    problems: list[str]

    @property
    def even(self) -> bool:
        """True when every minute's difference is 0 and no source contradicts another."""
        return not self.problems and all(line.difference == 0 for line in self.minutes.values())


def balance(books: Books) -> Audit:
    """Add up the books.

    Accepted: totals of finished segments (loaded, or still in the topic's tail), plus the segments on disk that have
    none yet, plus what came from no spool. Waiting: of those segments, and of
    those whose totals came before the last of their events, what has not been loaded.
    """
    accepted = books.accepted_totals + books.direct + books.tail_direct
    waiting = books.tail_direct.copy()
    for segment, minutes in _open_segments(books).items():
        accepted += minutes
        waiting += minutes - books.arrived.get(segment, Counter())
    for segment, minutes in books.totalled.items():
        waiting += minutes - books.arrived.get(segment, Counter())
    lines = {minute: _line(books, accepted, waiting, minute) for minute in sorted(_all_minutes(books, accepted))}
    total = Line()
    for line in lines.values():
        total.add(line)
    return Audit(lines, total, books.problems)


def _open_segments(books: Books) -> dict[Segment, Minutes]:
    """Segments whose totals are not loaded: by their file, else by totals or packs in the topic's tail."""
    found = {**books.tail_by_segment, **books.tail_totals, **books.on_disk}
    for segment in set(books.tail_by_segment) - set(books.tail_totals) - set(books.on_disk):
        found[segment] = books.tail_by_segment[segment] + books.arrived.get(segment, Counter())
    return {segment: minutes for segment, minutes in found.items() if segment not in books.totalled}


def _line(books: Books, accepted: Minutes, waiting: Minutes, minute: int) -> Line:
    line = Line(
        accepted=accepted[minute],
        in_topic=books.events_in[minute] + books.tail[minute],
        resent=books.resent[minute],
        duplicate=books.duplicate[minute],
        rejected=books.rejected[minute],
        enriched=books.enriched[minute],
        stored=books.stored[minute],
        waiting=waiting[minute],
    )
    line.difference = line.accepted - line.duplicate - line.rejected - line.stored - line.waiting
    return line


def _all_minutes(books: Books, accepted: Minutes) -> set[int]:
    return {*accepted, *books.events_in, *books.tail, *books.stored}
