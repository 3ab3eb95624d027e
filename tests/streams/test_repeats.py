"""Opens close to the last counted one of the same message, client and class (METRICS, repeat)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sendtrail.enriched import EventRow
from sendtrail.events import Event
from tests.streams.making import NOW, Line, constants, hit, source

DAY = 86_400_000
MINUTE = 60_000


def repeats(line: Line, *events: Event) -> list[bool]:
    return [row.repeat for row in line.rows(*events)]


def test_an_open_within_a_minute_of_the_last_counted_one_is_a_repeat() -> None:
    at = [NOW - 10 * MINUTE + seconds * 1000 for seconds in (0, 30, 60, 61, 100, 122)]
    opens = [hit(number, at=time) for number, time in enumerate(at)]
    assert repeats(Line(), *opens) == [False, True, True, False, True, False]


def test_before_counts_like_after_and_the_log_decides_which_is_counted() -> None:
    late_first = [hit(1, at=NOW), hit(2, at=NOW - 40_000), hit(3, at=NOW - 90_000)]
    assert repeats(Line(), *late_first) == [False, True, False]


def test_it_is_the_last_counted_open_that_an_open_is_compared_with() -> None:
    opens = [hit(1, at=NOW - 100_000), hit(2, at=NOW), hit(3, at=NOW - 70_000)]
    assert repeats(Line(), *opens) == [False, False, False]


def test_other_messages_clients_classes_and_kinds_do_not_matter() -> None:
    opens = [
        hit(1),
        hit(2, message=9),
        hit(3, address="192.0.2.9"),
        hit(4, hints=["head"]),
        hit(5, kind="click"),
        hit(6, kind="mirror"),
        hit(7),
    ]
    assert repeats(Line(), *opens) == [False, False, False, False, False, False, True]


def test_zero_seconds_switches_it_off() -> None:
    line = Line(constants=constants(open_repeat_ms=0))
    assert repeats(line, hit(1), hit(2)) == [False, False]


def test_a_repeat_is_found_across_records_and_across_midnight() -> None:
    midnight = (NOW // DAY + 1) * DAY
    line = Line()
    line.feed(source(0, [hit(1, at=midnight - 20_000)], time_ms=midnight - 1))
    (row,) = line.feed(source(1, [hit(2, at=midnight + 20_000)], time_ms=midnight + 21_000))[0].rows
    assert isinstance(row, EventRow)
    assert row.repeat
    (later,) = line.feed(source(2, [hit(3, at=midnight + 41_000)], time_ms=midnight + 42_000))[0].rows
    assert isinstance(later, EventRow)
    assert not later.repeat


def test_what_was_counted_is_remembered_until_the_end_of_the_next_log_day() -> None:
    """docs/decisions/0009: a record that comes later than that is judged without it."""
    for days, repeat in ((0, True), (1, True), (2, False)):
        line = Line()
        line.feed(source(0, [hit(1)]))
        (row,) = line.feed(source(1, [hit(2, at=NOW + 500)], time_ms=NOW + 1000 + days * DAY))[0].rows
        assert isinstance(row, EventRow)
        assert row.repeat is repeat


offsets_ms = st.lists(st.integers(0, 300_000), min_size=1, max_size=12)


@given(offsets_ms)
def test_the_rule_read_literally_gives_the_same(times: list[int]) -> None:
    opens = [hit(number, at=NOW - 300_000 + time) for number, time in enumerate(times)]
    expected, counted = [], None
    for event in opens:
        repeat = counted is not None and abs(event.event_time_ms - counted) <= MINUTE
        expected.append(repeat)
        counted = counted if repeat else event.event_time_ms
    assert repeats(Line(), *opens) == expected


@given(offsets_ms, st.data())
def test_a_replay_judges_as_the_first_time(times: list[int], data: st.DataObject) -> None:
    log = [source(number, [hit(number, at=NOW - 300_000 + time)]) for number, time in enumerate(times)]
    line = Line()
    first = [output.rows for record in log for output in line.feed(record)]
    kept = 8  # counted opens a key remembers: a replay further back than that is judged by fewer
    start = data.draw(st.integers(max(0, len(log) - kept), len(log) - 1))
    assert [output.rows for output in line.feed(*log[start:])] == first[start:]
