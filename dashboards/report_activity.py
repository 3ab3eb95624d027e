"""Report `activity`: when people open, click and buy, on the reader's clock (METRICS, report 7)."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta

from dashboards.base import numbers
from dashboards.definition import Context, Definition
from dashboards.options import OfDeliveries
from dashboards.scope import Scope, report
from dashboards.shape import Chart, Column, Note, Report, Table
from dashboards.words import TOTAL

Heat = Literal["opens", "clicks", "transactions"]
KINDS: dict[str, Heat] = {"open": "opens", "click": "clicks", "transaction": "transactions"}
WEEKDAYS = [
    Note("Monday"), Note("Tuesday"), Note("Wednesday"), Note("Thursday"), Note("Friday"), Note("Saturday"),
    Note("Sunday"),
]  # fmt: skip
_WEEK, _DAY = range(1, 8), range(48)

_COUNTS = [Column(name, name, "count", f"{kind} hits") for kind, name in KINDS.items()]
HALF_HOURS = [Column("time", "from", "text", "the half-hour that begins then, on the reader's clock"), *_COUNTS]
HOURS = [Column("time", "from", "text", "the hour that begins then, on the reader's clock"), *_COUNTS]
DAYS = [
    Column("number", "number", "rank", "1 = Monday … 7 = Sunday", shown=False),
    Column("weekday", "weekday", "text", "on the reader's calendar"),
    *_COUNTS,
]
WEEK = [
    Column("number", "number", "rank", "of the weekday, 1 = Monday … 7 = Sunday", shown=False),
    Column("weekday", "weekday", "text", "on the reader's calendar"),
    Column("time", "from", "text", "the hour that begins then, on the reader's clock"),
    *_COUNTS,
]

#: (kind, weekday 1-7, half-hour 0-47) -> hits.
_Slots = Counter[tuple[str, int, int]]


def build(scope: Scope, zone: str, heat: Heat = "opens") -> Report:
    """The report. `zone`: IANA name; hours are those its clock showed, summer time included."""
    found = numbers(scope.queries, scope.keys, scope.cut, scope.live)
    slots: _Slots = Counter()
    for row in scope.queries.rows("activity", deliveries=scope.keys, people=scope.people, zone=zone):
        slots[row["kind"], row["weekday"], row["half_hour"]] = row["hits"]
    parts = [week(slots, heat), weekdays(slots), hours(slots), half_hours(slots)]
    return report(scope, "activity", "User activity", parts, found, [Note("Hours and weekdays of {zone}.", zone=zone)])


def half_hours(slots: _Slots) -> Table:
    """All half-hours of a day."""
    rows = [[_clock(slot), *_hits(slots, _WEEK, [slot])] for slot in _DAY]
    return Table("half_hours", "By half-hour", HALF_HOURS, rows, chart=Chart("bar", "time", list(KINDS.values())))


def hours(slots: _Slots) -> Table:
    """All hours of a day."""
    rows = [[_clock(2 * hour), *_hits(slots, _WEEK, [2 * hour, 2 * hour + 1])] for hour in range(24)]
    return Table("hours", "By hour", HOURS, rows, chart=Chart("bar", "time", list(KINDS.values())))


def weekdays(slots: _Slots) -> Table:
    """All days of a week, and their sum."""
    rows = [[number, name, *_hits(slots, [number], _DAY)] for number, name in enumerate(WEEKDAYS, 1)]
    rows.append([None, TOTAL, *_hits(slots, _WEEK, _DAY)])
    chart = Chart("bar", "weekday", list(KINDS.values()))
    return Table("weekdays", "By weekday", DAYS, rows, total_from=len(WEEKDAYS), chart=chart)


def week(slots: _Slots, heat: Heat) -> Table:
    """Every hour of every weekday."""
    rows = [
        [number, name, _clock(2 * hour), *_hits(slots, [number], [2 * hour, 2 * hour + 1])]
        for number, name in enumerate(WEEKDAYS, 1)
        for hour in range(24)
    ]
    chart = Chart("heat", "time", [heat], split="weekday")
    return Table("week", "By weekday and hour", WEEK, rows, chart=chart)


def _hits(slots: _Slots, days: Sequence[int], half_hours: Sequence[int]) -> list[int]:
    """Hits of each kind on those weekdays in those half-hours."""
    return [sum(slots[kind, day, slot] for day in days for slot in half_hours) for kind in KINDS]


def _clock(half_hour: int) -> str:
    return f"{half_hour // 2:02}:{30 * (half_hour % 2):02}"


class Asked(OfDeliveries, frozen=True, kw_only=True):
    """What this report can be asked."""

    heat: Annotated[Heat, Meta(description="What the heat map of the week shows.")] = "opens"


def _build(context: Context, asked: Asked) -> Report:
    return build(context.scope(asked), str(context.zone), asked.heat)


REPORT = Definition(
    name="activity",
    title="User activity",
    answers="at which hours and on which weekdays people open, click and buy",
    more="Hours are those of the reader's clock: of the time zone asked for, summer time included.",
    example="-d june-news --part hours",
    options=Asked,
    parts={"week": WEEK, "weekdays": DAYS, "hours": HOURS, "half_hours": HALF_HOURS},
    build=_build,
)
