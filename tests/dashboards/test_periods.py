"""Days, weeks and months."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.periods import MOST, Days, Period, days_of, every, start_of
from dashboards.queries import ReportError

TODAY = date(2026, 7, 15)  # a Wednesday
PERIODS: list[Period] = ["day", "week", "month"]


def test_a_week_begins_on_monday_and_a_month_on_its_first() -> None:
    assert [start_of(TODAY, period) for period in PERIODS] == [TODAY, date(2026, 7, 13), date(2026, 7, 1)]


@pytest.mark.parametrize(("period", "count"), [("day", 30), ("week", 26), ("month", 24)])
def test_without_days_the_last_periods_are_shown(period: Period, count: int) -> None:
    for today in (TODAY, date(2026, 1, 31), date(2028, 2, 29), date(2026, 3, 1)):
        days = days_of(period, None, None, today)
        assert days.last == today
        assert days.first == start_of(days.first, period)
        assert len(list(every(days, period))) == count


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 800), st.sampled_from(PERIODS))
def test_every_period_that_has_a_day_is_there_once(first: date, more: int, period: Period) -> None:
    days = Days(first, first + timedelta(days=more))
    expected = {start_of(first + timedelta(days=number), period) for number in range(more + 1)}
    assert list(every(days, period)) == sorted(expected)


def test_a_span_is_bounded() -> None:
    assert days_of("week", None, TODAY, TODAY, most=92) == Days(TODAY - timedelta(days=91), TODAY)
    assert days_of("day", None, None, TODAY, most=92) == Days(TODAY - timedelta(days=29), TODAY)
    with pytest.raises(ReportError, match="are 93 days; here 92 are the most"):
        days_of("day", TODAY - timedelta(days=92), TODAY, TODAY, most=92)
    with pytest.raises(ReportError, match="is after the last"):
        days_of("day", TODAY, TODAY - timedelta(days=1), TODAY)
    assert days_of("day", TODAY - timedelta(days=MOST - 1), None, TODAY).first == TODAY - timedelta(days=MOST - 1)
    with pytest.raises(ReportError, match="choose weeks or months"):
        days_of("day", TODAY - timedelta(days=MOST), None, TODAY)


def test_a_day_is_one_of_the_readers_clock() -> None:
    madrid = ZoneInfo("Europe/Madrid")
    spring = Days(date(2026, 3, 29), date(2026, 3, 29)).seconds(madrid)
    assert spring[1] - spring[0] == 23 * 3600
    assert datetime.fromtimestamp(spring[0], madrid) == datetime(2026, 3, 29, tzinfo=madrid)
