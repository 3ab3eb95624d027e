"""Days of the reader, and time since a delivery's start: periods that reports know, steps that draw well. Pure."""

from datetime import date, datetime, time, tzinfo
from typing import Literal, get_args

from dashboards.shape import Note

Within = Literal["1h", "3h", "6h", "24h", "3d", "7d", "1month", "all"]

HOUR, DAY = 3600, 86_400
#: Seconds since the start; 0 = no end. A month is 30 days.
PERIODS: dict[Within, int] = dict(
    zip(get_args(Within), [HOUR, 3 * HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY, 30 * DAY, 0], strict=True)
)
TITLES: dict[Within, Note] = {
    "1h": Note("1 hour"), "3h": Note("3 hours"), "6h": Note("6 hours"), "24h": Note("24 hours"), "3d": Note("3 days"),
    "7d": Note("7 days"), "1month": Note("1 month"), "all": Note("all"),
}  # fmt: skip
POINTS = 60
_STEPS = [
    60, 300, 600, 900, 1800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 30 * DAY, 90 * DAY,
]  # fmt: skip


def step_of(span_s: int) -> int:
    """The shortest step, in seconds, that needs no more than 60 points for such a span; above 15 years some more.

    Every period is a whole number of its steps, so that its last point is its end.
    """
    return next((step for step in _STEPS if span_s <= step * POINTS), _STEPS[-1])


def steps_in(span_ms: int, step_s: int) -> int:
    """How many steps reach as far as such a span, at least one."""
    return max(1, -(-span_ms // (step_s * 1000)))


def midnight(day: date, zone: tzinfo) -> datetime:
    """When the day begins in a time zone."""
    return datetime.combine(day, time.min, zone)
