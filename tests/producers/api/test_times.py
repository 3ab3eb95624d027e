"""Times as senders write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.api.times import read_time
from sendtrail.errors import Invalid

LATEST_MS = 4_000_000_000_000


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("2026-11-24T09:30:00Z", 1_795_512_600_000),
        ("2026-11-24T10:30:00+01:00", 1_795_512_600_000),
        ("2026-11-24T09:30:00.123456Z", 1_795_512_600_123),
        ("2026-11-24t09:30:00z", 1_795_512_600_000),
        (1_795_512_600_000, 1_795_512_600_000),
        (0, 0),
    ],
)
def test_times_that_are_read(text: object, time_ms: int) -> None:
    assert read_time(text, 0, LATEST_MS) == time_ms


@pytest.mark.parametrize(
    "value",
    [
        "", "2026-11-24", "2026-11-24T09:30:00", "24.11.2026 09:30", "1795512600000", 1.5, True, [], {}, -1, 10**30,
        "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00",
    ],
)  # fmt: skip
def test_times_that_are_refused(value: object) -> None:
    refused = read_time(value, 0, LATEST_MS)
    assert isinstance(refused, Invalid)
    assert refused.reason == "bad_time"


@given(st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_every_offset_is_the_same_moment(local: datetime, minutes: int) -> None:
    moment = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    expected = (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert read_time(moment.isoformat(), 0, LATEST_MS) == expected
