"""Waiting for something that is away, and saying so once in a while."""

from sinks.outage import Outage, one_line, worth_saying


def test_it_waits_longer_each_time_and_ten_seconds_at_most() -> None:
    now = 100.0
    outage = Outage("ClickHouse", lambda: now)
    assert not outage.waiting
    waits = []
    for _ in range(12):
        outage.failed(OSError("refused"))
        start = now
        while outage.waiting:
            now += 0.01
        waits.append(now - start)
    assert outage.text == "refused"
    assert waits[0] < 0.25
    assert 6.9 < waits[-1] <= 10.02
    for _ in range(5_000):  # days of it
        outage.failed(OSError("refused"))
    assert outage.waiting
    outage.over()
    assert (outage.text, outage.waiting) == ("", False)


def test_few_of_many_failures_are_logged() -> None:
    assert [attempt for attempt in range(1, 61) if worth_saying(attempt)] == [1, 5, 20, 40, 60]


def test_an_error_is_one_line() -> None:
    assert one_line(OSError("Code: 241. Memory limit Stack trace:\n0. in clickhouse")) == "Code: 241. Memory limit"
    assert one_line(EOFError()) == "EOFError()"
