"""What does not add up, said so that a person can act: what, how many, when, where, why, what to do (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

#: Stands for the minute of events of which only the number is known.
UNKNOWN_MINUTE = -1

#: A difference makes the audit uneven; a note says what is known and recorded: nothing has to be done.
Weight = Literal["difference", "note"]


class Segment(NamedTuple):
    """A spool segment by its spool (32 hex digits) and sequence."""

    spool: str
    sequence: int

    @property
    def file(self) -> str:
        """The name of its file in a spool directory."""
        return f"{self.spool}-{self.sequence:012d}.seg"


class Hole(NamedTuple):
    """Source offsets `first..last` of a partition of tracking.events that something is wrong with.

    empty: the log holds no record there, and the chain goes on; uncovered: no row of audit covers them; accepted: an
    operator gave them up; log_gone: not in the log any more, and not processed; enriched_gone: processed, and their
    enriched records are gone before they were loaded; never_sent: processed, and their enriched records are missing
    amid others.
    """

    topic: str
    partition: int
    first: int
    last: int
    kind: Literal["empty", "uncovered", "accepted", "log_gone", "enriched_gone", "never_sent"]
    detail: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing that does not add up. `events`: how many it concerns, None where nothing says it.

    `minutes`: first and last epoch minute, None where unknown. `place`: the same as `where`, for machines.
    """

    kind: str
    what: str
    where: str = ""
    cause: str = ""
    next: str = ""
    events: int | None = None
    minutes: tuple[int, int] | None = None
    weight: Weight = "difference"
    place: dict[str, Any] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """All of it in one line."""
        parts = [self.what, minutes_text(self.minutes), self.where, self.cause, self.next]
        return "; ".join(part for part in parts if part)


def count(events: int, noun: str = "event") -> str:
    """`1 event`, `2,000 events`."""
    return f"{events:,} {noun}{'' if events == 1 else 's'}"


def span(first: int, last: int, one: str, many: str) -> str:
    """`offset 3`, `offsets 3 to 9`."""
    return f"{one} {first}" if first == last else f"{many} {first} to {last}"


def ranges_text(ranges: Sequence[tuple[int, int]], most: int = 5) -> str:
    """`0-4, 9`; those beyond `most` are counted."""
    shown = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges[:most])
    return shown if len(ranges) <= most else f"{shown} and {len(ranges) - most} more ranges"


def offsets_text(topic_name: str, partition: int, first: int, last: int) -> str:
    """A place in tracking.events."""
    return f"{topic_name} partition {partition}, {span(first, last, 'offset', 'offsets')}"


def minute_text(minute: int) -> str:
    """UTC, to the minute."""
    if minute == UNKNOWN_MINUTE:
        return "unknown"
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%MZ") if minute else "no time"


def minutes_text(minutes: tuple[int, int] | None) -> str:
    """`minute …`, `minutes … to …`; empty where unknown."""
    if minutes is None:
        return ""
    first, last = minutes
    if first == last:
        return f"minute {minute_text(first)}"
    return f"minutes {minute_text(first)} to {minute_text(last)}"


def minutes_of(found: Iterable[int]) -> tuple[int, int] | None:
    """First and last of some minutes."""
    known = sorted(minute for minute in found if minute != UNKNOWN_MINUTE)
    return (known[0], known[-1]) if known else None


def runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Numbers in order as ranges of neighbours."""
    found: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found
