"""The first sight counts, whatever is replayed and however far the state is ahead."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from sendtrail.enriched import EventRow, MinuteCounts
from sendtrail.events import Event
from sendtrail.ids import transaction_id
from streams.items import SourceRecord
from tests.streams.making import NOW, Line, Output, hit, raw_source, source

DAY = 86_400_000


def totals(outputs: Sequence[Output]) -> MinuteCounts:
    sums = MinuteCounts()
    for output in outputs:
        for minute in output.header.counts.values():
            for name in sums.__struct_fields__:
                setattr(sums, name, getattr(sums, name) + getattr(minute, name))
    return sums


def test_the_second_sight_is_dropped_within_a_record_and_across_records() -> None:
    outputs = Line().feed(source(0, [hit(1), hit(2), hit(1)]), source(1, [hit(2), hit(3)]))
    assert [output.ids() for output in outputs] == [
        [hit(1).event_id, hit(2).event_id],
        [hit(3).event_id],
    ]


def test_a_copy_of_a_pack_is_called_resent_and_anything_else_duplicate() -> None:
    line = Line()
    line.feed(source(0, [hit(1), hit(2)]))
    again = totals(line.feed(source(1, [hit(1), hit(2)])))
    assert (again.resent, again.duplicate) == (2, 0)
    other_spool = totals(line.feed(source(2, [hit(1)], spool="cd" * 16)))
    assert (other_spool.resent, other_spool.duplicate) == (0, 1)
    later_segment = totals(line.feed(source(3, [hit(1)], segment=9)))
    assert (later_segment.resent, later_segment.duplicate) == (0, 1)


def test_what_the_index_does_not_know_counts_although_it_is_below_the_mark() -> None:
    line = Line()
    line.feed(source(0, [hit(5)]))
    assert line.feed(source(1, [hit(3)]))[0].ids() == [hit(3).event_id]


def test_an_id_older_than_the_window_is_marked_and_not_looked_up() -> None:
    line = Line()
    old = hit(1, at=NOW - 8 * DAY - 2000)
    for offset in (0, 1):
        (row,) = line.feed(source(offset, [old]))[0].rows
        assert isinstance(row, EventRow)
        assert row.marks == ["late"]
    young = hit(2, at=NOW + 1000 - 8 * DAY)
    assert line.feed(source(2, [young]))[0].ids() == [young.event_id]
    assert line.feed(source(3, [young]))[0].ids() == []


def transaction(number: int) -> Event:
    event = hit(number, kind="transaction", site="shop", order_id=str(number))
    event.event_id = transaction_id("", "shop", str(number))
    return event


def test_a_reloaded_thank_you_page_counts_once_for_400_days() -> None:
    line = Line()
    log = NOW + 1000
    first, again = transaction(1), transaction(1)
    again.event_time_ms = NOW + 399 * DAY
    much_later = transaction(1)
    much_later.event_time_ms = NOW + 401 * DAY
    assert line.feed(source(0, [first], time_ms=log))[0].ids() == [first.event_id]
    assert line.feed(source(1, [again], time_ms=log + 399 * DAY))[0].ids() == []
    assert line.feed(source(2, [much_later], time_ms=log + 401 * DAY))[0].ids() == [first.event_id]


numbers = st.integers(0, 12)
logs = st.lists(st.lists(numbers, min_size=1, max_size=6), min_size=1, max_size=8)


def log_of(packs: list[list[int]]) -> list[SourceRecord]:
    return [source(offset, [hit(number) for number in pack], segment=offset) for offset, pack in enumerate(packs)]


def identities(outputs: Sequence[Output]) -> list[tuple[int, list[str]]]:
    return [(output.header.source_offset, output.ids()) for output in outputs]


def unnamed(outputs: Sequence[Output]) -> list[tuple[list[object], int, int]]:
    """Rows, what went in and what came out. A mark that is ahead calls more of what is dropped `resent`, no more."""
    sums = [totals([output]) for output in outputs]
    return [(list(output.rows), of.events_in, of.out) for output, of in zip(outputs, sums, strict=True)]


@given(logs, st.data())
def test_a_replay_gives_the_same_rows_although_the_state_is_ahead(packs: list[list[int]], data: st.DataObject) -> None:
    log, line = log_of(packs), Line()
    first = [output for record in log for output in line.feed(record)]
    for _ in range(3):
        start = data.draw(st.integers(0, len(log) - 1))
        assert unnamed(line.feed(*log[start:])) == unnamed(first[start:])


@given(logs, st.data())
def test_any_crash_leaves_the_same_rows_once_the_chain_has_dropped_replays(
    packs: list[list[int]], data: st.DataObject
) -> None:
    """Runs of batches, each of which may die after its outputs, before its state, or before its commit."""
    log, line = log_of(packs), Line()
    whole = Line()
    expected = identities([output for record in log for output in whole.feed(record)])
    chain: list[tuple[int, list[str]]] = []
    committed = applied = 0
    while committed < len(log):
        if applied < committed:
            line.feed(*log[applied:committed])  # rebuild: nothing is emitted
            applied = committed
        end = data.draw(st.integers(committed + 1, len(log)))
        death = data.draw(st.sampled_from(["none", "none", "after outputs", "after state", "state lost"]))
        outputs = identities(line.feed(*log[committed:end], keep=death != "after outputs"))
        chain += [output for output in outputs if output[0] >= len(chain)]
        if death in ("none", "after state", "state lost"):
            applied = max(applied, end)
        if death == "state lost":
            line, applied = Line(), 0
        if death in ("none", "state lost"):
            committed = end
    assert chain == expected


FAR_AHEAD = hit(9, at=NOW + 3 * DAY)


def test_a_bad_event_that_is_sent_again_is_no_second_reject() -> None:
    line = Line()
    pack = [hit(1), FAR_AHEAD]
    first = line.feed(source(0, pack))
    assert (totals(first).rejected, len(first[0].rows)) == (1, 2)
    again = line.feed(source(1, pack))
    assert (totals(again).resent, totals(again).rejected, again[0].rows) == (2, 0, [])
    cut_otherwise = line.feed(source(2, [FAR_AHEAD]))
    assert (totals(cut_otherwise).resent, cut_otherwise[0].rows) == (1, [])


def test_bad_events_are_the_same_only_in_one_segment_of_one_spool() -> None:
    line = Line()
    outputs = line.feed(
        source(0, [FAR_AHEAD]), source(1, [FAR_AHEAD], segment=1), source(2, [FAR_AHEAD], spool="cd" * 16)
    )
    assert totals(outputs).rejected == 3


def test_a_line_that_cannot_be_decoded_is_known_again_too() -> None:
    line = Line()
    pack = [b"\xff1", b"\xff2", b"\xff2"]
    assert totals(line.feed(raw_source(0, pack))).rejected == 3
    assert totals(line.feed(raw_source(1, pack))).resent == 3


def test_a_replay_finds_the_same_rejects_although_the_state_is_ahead() -> None:
    line = Line()
    records = [source(0, [FAR_AHEAD]), source(1, [FAR_AHEAD])]
    first = line.feed(*records)
    assert line.feed(*records) == first
    assert [totals([output]).rejected for output in first] == [1, 0]
