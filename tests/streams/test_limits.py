"""The largest of everything the worker takes, and one beyond."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sendtrail.enriched import MAX_RELABELS, EventRow, RejectRow, RelabelRow
from sendtrail.events import FLAG_HONEYPOT, Event, encode
from sendtrail.packs import MAX_BYTES, MAX_EVENTS
from sendtrail.partitions import partition_of
from streams.steps.unpack import MAX_SOURCE_BYTES
from tests.streams.making import NOW, Line, Output, constants, hit, raw_source, source

PARTITIONS = 24


def only_reject(output: Output) -> RejectRow:
    (row,) = output.rows
    assert isinstance(row, RejectRow)
    return row


def test_a_pack_of_as_many_events_and_bytes_as_there_may_be_comes_through_whole() -> None:
    some = [hit(number, message=number, user_agent="M" * 370) for number in range(MAX_EVENTS)]
    record = source(0, some)
    assert MAX_BYTES * 0.9 < len(record.value) <= MAX_BYTES
    (output,) = Line().feed(record)
    assert output.ids() == [event.event_id for event in some]


def test_one_event_more_is_one_reject_that_counts_for_all() -> None:
    (output,) = Line().feed(raw_source(0, [encode(hit(number)) for number in range(MAX_EVENTS + 1)]))
    row = only_reject(output)
    assert (row.reason, row.count) == ("bad_pack", MAX_EVENTS + 1)
    assert "501 lines of 500 at most" in row.detail
    assert [(minute.events_in, minute.rejected) for minute in output.header.counts.values()] == [(501, 501)]


def test_a_record_larger_than_any_event_needs_is_one_reject() -> None:
    line = b"x" * 999
    (fits,) = Line().feed(raw_source(0, [line] * (MAX_EVENTS - 1)))
    assert {row.reason for row in fits.rows if isinstance(row, RejectRow)} == {"undecodable"}
    (output,) = Line().feed(raw_source(0, [b"x" * MAX_SOURCE_BYTES]))
    assert only_reject(output).reason == "too_large"


class Swept:
    """A record that says of three hits of each of its messages that they were a machine's: 1,500 re-labels."""

    def __init__(self) -> None:
        every = range(MAX_EVENTS)
        hits = [[hit(1000 * n + m, message=m, url_id=1 + n % 2, kind="click") for m in every] for n in range(1, 4)]
        traps = [hit(9000 + m, message=m, url_id=9, kind="click", flags=FLAG_HONEYPOT, at=NOW + 5000) for m in every]
        others = [[hit(20_000 + n, message=70_000 + n)] for n in range(3)]
        packs = [*hits, traps, *others]
        self.log = [source(offset, pack, segment=offset, time_ms=NOW + 9000) for offset, pack in enumerate(packs)]
        self.targets = [event.event_id for of_message in zip(*hits, strict=True) for event in of_message]

    @staticmethod
    def relabelled(outputs: Sequence[Output]) -> list[list[str | None]]:
        return [[row.target_id for row in output.rows if isinstance(row, RelabelRow)] for output in outputs]


def test_a_thousand_re_labels_leave_with_a_record_and_the_rest_in_order_with_the_next() -> None:
    swept, line = Swept(), Line()
    outputs = [output for record in swept.log for output in line.feed(record)]
    relabelled = swept.relabelled(outputs)
    assert [len(each) for each in relabelled] == [0, 0, 0, MAX_RELABELS, len(swept.targets) - MAX_RELABELS, 0, 0]
    assert [target for each in relabelled for target in each] == swept.targets
    assert [minute.relabels for minute in outputs[3].header.counts.values() if minute.relabels] == [MAX_RELABELS]


@pytest.mark.parametrize(("at", "died"), [(3, "before its state was written"), (4, "after it")])
def test_no_re_label_is_lost_or_doubled_by_a_crash_while_some_wait(at: int, died: str) -> None:
    swept, whole, line = Swept(), Line(), Line()
    expected = [output.rows for record in swept.log for output in whole.feed(record)]
    for record in swept.log[:at]:
        line.feed(record)
    line.feed(swept.log[at], keep=died == "after it")
    again = [output.rows for record in swept.log[at:] for output in line.feed(record)]
    assert again == expected[at:]


def test_an_address_with_50_000_hits_costs_no_more_state_than_one_with_a_few_hundred() -> None:
    line = Line(constants(partitions=PARTITIONS))
    mine = [event for n in range(30 * PARTITIONS) if not partition_of(event := scanned(n), PARTITIONS)]
    for offset in range(100):
        pack = [scanned(n, event) for n, event in enumerate((mine * 40)[:MAX_EVENTS], offset * MAX_EVENTS)]
        (output,) = line.feed(source(offset, pack, segment=offset, time_ms=NOW + offset * 1000))
        assert len(output.ids()) == MAX_EVENTS
    rows = [row for row in output.rows if isinstance(row, EventRow)]
    assert {row.class_ for row in rows} == {"machine"}
    assert max(map(len, line.stored.values())) < 20_000


def scanned(number: int, like: Event | None = None) -> Event:
    """A click on a message's link from one address, that of `like`."""
    message = number if like is None else like.message
    return hit(number, kind="click", message=message, url_id=1, address="8.9.10.11", at=NOW + number)
