"""What a report is asked for, and what every report says about itself: cut, the other cut's hits, when, and notes."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.base import Numbers, numbers, people
from dashboards.choice import Delivery
from dashboards.indicators import Cut, Indicators, indicators
from dashboards.queries import Queries
from dashboards.shape import Note, Record, Report, Table


@dataclass(frozen=True)
class Scope:
    """Deliveries (one or several together), cut, whether distinct numbers are counted now, and whether persons exist.

    `persons`: visitor cookies are on, so that persons are told apart.
    """

    queries: Queries
    deliveries: Sequence[Delivery]
    cut: Cut = "people"
    live: bool = False
    persons: bool = False

    @property
    def keys(self) -> list[int]:
        """Keys of the deliveries."""
        return [one.delivery for one in self.deliveries]

    @property
    def people(self) -> int:
        """The cut as queries take it."""
        return people(self.cut)


def together(scope: Scope) -> tuple[Indicators, Numbers]:
    """The indicators of the deliveries together, and the base numbers of each."""
    found = numbers(scope.queries, scope.keys, scope.cut, scope.live)
    union = None
    if len(scope.deliveries) > 1:
        union = scope.queries.row("persons", deliveries=scope.keys, people=scope.people)["person_click"]
    return indicators(found.bases, union), found


def report(
    scope: Scope, name: str, title: str, parts: Sequence[Table | Record], found: Numbers, notes: Sequence[Note] = ()
) -> Report:
    """A report with its header filled in."""
    return Report(
        name=name,
        title=title,
        cut=scope.cut,
        calculated_at=found.now(scope.deliveries[0].asked_at),
        distinct_calculated_at=found.calculated,
        parts=parts,
        subjects=[one.subject for one in scope.deliveries],
        hits=found.hits,
        notes=notes,
    )


def person_note(scope: Scope) -> Note:
    """What must be said beside every number of persons."""
    if scope.persons:
        return Note("Forwards are an estimate: refused cookies and second devices inflate it.")
    return Note("Visitor cookies are off: people can't be counted apart, so a person is a message and forwards are 0.")
