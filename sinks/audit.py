"""segments + packs + enriched records + rows -> a balance per minute (pure); nothing comes from process counters.

An event that was accepted is a row, or a duplicate of one, or a reject, or still on its way, or given up by an
operator; what is left over is the difference, and it is 0. Minutes are epoch minutes of the event id; minute 0 holds
ids without a time, minute -1 events of which only the number is known.
"""

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import NamedTuple

from sinks.audit_findings import UNKNOWN_MINUTE, Finding, Segment, count, minutes_of

Minutes = Counter[int]


@dataclass
class Books:
    """What each source says, by minute. `tail` is what the topic holds beyond the loaded records.

    `arrived` and `totalled` are of the segments that are on disk or in the tail: what of them is loaded. `unfinished`:
    what is loaded of segments without totals. `stored` counts rows, those of purged deliveries too. `lost`: events of
    segments that never came, `given_up`: of gaps that an operator accepted. `kept_from`: what is older can't be proved.
    """

    accepted_totals: Minutes = field(default_factory=Counter)
    direct: Minutes = field(default_factory=Counter)
    events_in: Minutes = field(default_factory=Counter)
    resent: Minutes = field(default_factory=Counter)
    duplicate: Minutes = field(default_factory=Counter)
    rejected: Minutes = field(default_factory=Counter)
    enriched: Minutes = field(default_factory=Counter)
    stored: Minutes = field(default_factory=Counter)
    lost: Minutes = field(default_factory=Counter)
    given_up: Minutes = field(default_factory=Counter)
    on_disk: dict[Segment, Minutes] = field(default_factory=dict)
    arrived: dict[Segment, Minutes] = field(default_factory=dict)
    totalled: dict[Segment, Minutes] = field(default_factory=dict)
    unfinished: dict[Segment, Minutes] = field(default_factory=dict)
    tail: Minutes = field(default_factory=Counter)
    tail_direct: Minutes = field(default_factory=Counter)
    tail_by_segment: dict[Segment, Minutes] = field(default_factory=dict)
    tail_totals: dict[Segment, Minutes] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    kept_from: int = 0


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
    given_up: int = 0
    difference: int = 0

    def add(self, other: "Line") -> None:
        """Add another line's numbers to this one's."""
        for column in fields(self):
            setattr(self, column.name, getattr(self, column.name) + getattr(other, column.name))


class Audit(NamedTuple):
    """The balance. `even` when nothing is lost, doubled or unexplained; what still waits does not unbalance it."""

    minutes: dict[int, Line]
    total: Line
    findings: list[Finding]
    kept_from: int = 0

    @property
    def differences(self) -> list[Finding]:
        """The findings that are not even, without what is only noted."""
        return [finding for finding in self.findings if finding.weight == "difference"]

    @property
    def problems(self) -> list[str]:
        """Every difference in a line."""
        return [finding.line for finding in self.differences]

    @property
    def even(self) -> bool:
        """True when every minute's difference is 0 and no source contradicts another."""
        return not self.differences and all(line.difference == 0 for line in self.minutes.values())


def balance(books: Books) -> Audit:
    """Add up the books.

    Accepted: totals of finished segments (loaded, or still in the topic's tail), plus the segments that have none yet
    (on disk, or what is known of them), plus segments that never came, plus what came from no spool. Waiting: of those
    that are on disk, what has not been loaded; of the others, what the topic's tail holds of what has not been loaded.
    """
    accepted = books.accepted_totals + books.direct + books.tail_direct + books.lost
    waiting = books.tail_direct.copy()
    for segment, minutes in _open_segments(books).items():
        accepted += minutes
        waiting += _waiting(books, segment, minutes)
    for segment, minutes in books.totalled.items():
        waiting += _waiting(books, segment, minutes)
    lines = {minute: _line(books, accepted, waiting, minute) for minute in sorted(_all_minutes(books, accepted))}
    total = Line()
    for line in lines.values():
        total.add(line)
    findings = [*books.findings, *_unexplained(books, lines)]
    return Audit(lines, total, findings, books.kept_from)


def _open_segments(books: Books) -> dict[Segment, Minutes]:
    """Segments whose totals are not loaded: by their file, else by totals in the tail, else what is known of them."""
    found = {**books.unfinished, **books.tail_by_segment, **books.tail_totals, **books.on_disk}
    for segment in set(books.tail_by_segment) - set(books.tail_totals) - set(books.on_disk):
        found[segment] = books.tail_by_segment[segment] + books.arrived.get(segment, Counter())
    return {segment: minutes for segment, minutes in found.items() if segment not in books.totalled}


def _waiting(books: Books, segment: Segment, minutes: Minutes) -> Minutes:
    left = minutes - books.arrived.get(segment, books.unfinished.get(segment, Counter()))
    return left if segment in books.on_disk else left & books.tail_by_segment.get(segment, Counter())


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
        given_up=books.given_up[minute],
    )
    line.difference = line.accepted - line.duplicate - line.rejected - line.stored - line.waiting - line.given_up
    return line


def _all_minutes(books: Books, accepted: Minutes) -> set[int]:
    return {minute for source in (accepted, books.events_in, books.tail, books.stored) for minute in source}


def _unexplained(books: Books, lines: dict[int, Line]) -> list[Finding]:
    """A difference that no finding is about: the audit must not keep it to itself."""
    uneven = [minute for minute, line in lines.items() if line.difference]
    if not uneven or any(finding.weight == "difference" for finding in books.findings):
        return []
    missing = sum(lines[minute].difference for minute in uneven)
    what = f"{count(abs(missing))} {'are missing' if missing >= 0 else 'are too many'}, and no place was found for it"
    return [Finding(
        "unexplained", what, cause="the line moved on while it was looked at, or several things cancel each other",
        next="run the audit again, with --since and --until around the minutes", events=abs(missing),
        minutes=minutes_of(minute for minute in uneven if minute != UNKNOWN_MINUTE),
    )]  # fmt: skip
