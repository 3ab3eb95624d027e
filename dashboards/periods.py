"""Days, weeks and months of a calendar, and spans of them on a reader's clock. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Literal

from dashboards.queries import ReportError
from dashboards.shape import Note

Period = Literal["day", "week", "month"]
#: How many periods are shown where no first day is asked for.
_USUAL: dict[Period, int] = {"day": 30, "week": 26, "month": 24}
MOST = 1100  # periods of a report


@dataclass(frozen=True)
class Days:
    """A span of whole days, both ends inside."""

    first: date
    last: date

    def seconds(self, zone: tzinfo) -> tuple[int, int]:
        """UTC seconds of the span on the reader's clock, the first inside and the second outside."""
        after = self.last + timedelta(days=1)
        begin, end = (datetime.combine(day, time.min, zone) for day in (self.first, after))
        return int(begin.timestamp()), int(end.timestamp())


def start_of(day: date, period: Period) -> date:
    """First day of the period that holds a day; a week begins on Monday."""
    if period == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period == "month" else day


def _periods_before(day: date, period: Period, count: int) -> date:
    """First day of the period that lies so many before that of a day."""
    start = start_of(day, period)
    if period != "month":
        return start - timedelta(days=count * (7 if period == "week" else 1))
    months = start.year * 12 + start.month - 1 - count
    return date(months // 12, months % 12 + 1, 1)


def days_of(period: Period, first: date | None, last: date | None, today: date, most: int | None = None) -> Days:
    """The span asked for. Without a first day it is the usual one, of whole periods, but of no more than `most` days.

    Raises ReportError for an empty span, or one of more than `most` days or MOST periods.
    """
    last = last or today
    if first is None:
        first = _periods_before(last, period, _USUAL[period] - 1)
        if most is not None:
            first = max(first, last - timedelta(days=most - 1))
    if first > last:
        raise ReportError(Note("the first day, {first}, is after the last, {last}", first=first, last=last))
    count = (last - first).days + 1
    if most is not None and count > most:
        raise ReportError(Note("{first} to {last} are {count} days; here {most} are the most: choose a shorter span",
                               first=first, last=last, count=count, most=most))  # fmt: skip
    if sum(1 for _ in every(Days(first, last), period)) > MOST:
        raise ReportError(Note("{first} to {last} are more than {most} periods: choose weeks or months, or a shorter "
                               "span", first=first, last=last, most=MOST))  # fmt: skip
    return Days(first, last)


def every(days: Days, period: Period) -> Iterator[date]:
    """First day of every period that has a day of the span."""
    start = start_of(days.first, period)
    while start <= days.last:
        yield start
        following = {"day": 1, "week": 7, "month": 32}[period]
        start = start_of(start + timedelta(days=following), period)
