"""The enriched record: rows, headers, balance, limits."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.deliveries import Delivery, DeliveryUrl
from sendtrail.enriched import EventRow, RejectRow, RelabelRow, read_enriched_headers
from sendtrail.errors import Invalid
from sendtrail.events import Event, decode, encode
from sendtrail.ids import reject_key, relabel_id
from sendtrail.packs import PackHeader, Totals, headers_of, split
from streams.items import Findings, SourceRecord
from streams.pipeline import Timing, run
from streams.render import MAX_VALUE_BYTES, render
from streams.state.overlay import Overlay
from streams.steps.unpack import unpack
from streams.worker import Constants
from tests.streams.making import NOW, SPOOL, TOPIC_ID, Line, Output, book_of, constants, hit, raw_source, read, source
from tests.support.golden import golden_events
from tests.support.strategies import events as any_events
from tests.support.strategies import relabels as any_relabels


def test_findings_are_exactly_what_a_row_has_more_than_an_event() -> None:
    names = {field.encode_name for field in msgspec.structs.fields(EventRow)}
    events = {field.encode_name for field in msgspec.structs.fields(Event)}
    assert {field.encode_name for field in msgspec.structs.fields(Findings)} == names - events


def test_a_row_is_the_event_and_what_was_found_out() -> None:
    event = hit(3, account="shop", recipient=2**63 + 1)
    (row,) = Line().rows(event)
    assert {name: getattr(row, name) for name in Event.__struct_fields__} == msgspec.structs.asdict(event)
    assert (row.source_offset, row.source_index, row.class_, row.client, row.network) == (
        0, 0, "human", "Chrome", "documentation",
    )  # fmt: skip


def test_nothing_but_the_events_own_fields_comes_through() -> None:
    """A line may carry names that only we give; they must not pass for our findings."""
    line = encode(hit())[:-1] + b',"class":"machine","row":"reject","so":99,"person":"x","unknown":1}'
    (output,) = Line().feed(raw_source(0, [line]))
    (row,) = output.rows
    assert isinstance(row, EventRow)
    assert (row.class_, row.source_offset) == ("human", 0)


def relabel(number: int) -> Event:
    target = hit(1).event_id
    event = hit(number, kind="relabel", target_id=target, new_class="machine", reasons=["burst"], run="r1")
    event.event_id = relabel_id(NOW + number, "r1", target)
    return event


def test_a_relabel_is_a_row_of_its_own_and_counted_apart() -> None:
    (output,) = Line().feed(source(0, [hit(1), relabel(2), relabel(2)]))
    assert [type(row) for row in output.rows] == [EventRow, RelabelRow]
    row = output.rows[1]
    assert isinstance(row, RelabelRow)
    assert (row.target_id, row.new_class, row.reasons, row.source_index) == (
        hit(1).event_id, "machine", ["burst"], 1,
    )  # fmt: skip
    (counts,) = output.header.counts.values()
    assert (counts.events_in, counts.out, counts.relabels, counts.duplicate + counts.resent) == (2, 1, 1, 1)


def test_a_reject_keeps_its_bytes_its_reason_and_a_key_of_its_place() -> None:
    (output,) = Line().feed(raw_source(4, [b"\xff not json", encode(hit(1))]))
    reject, kept = output.rows
    assert isinstance(reject, RejectRow)
    assert isinstance(kept, EventRow)
    assert (reject.original, reject.reason, reject.source_index) == (b"\xff not json", "undecodable", 0)
    assert reject.key == reject_key(NOW + 1000, TOPIC_ID, 0, 4, 0)
    assert (reject.time_ms, reject.count) == (NOW + 1000, 1)


def test_a_refused_record_is_one_reject_that_counts_for_all() -> None:
    record = SourceRecord(4, NOW, b"a\nb\nc", headers_of(PackHeader(SPOOL, 0, 0, 8, 9)))
    (output,) = Line().feed(record)
    (reject,) = output.rows
    assert isinstance(reject, RejectRow)
    assert (reject.reason, reject.count, reject.original) == ("bad_pack", 9, b"a\nb\nc")
    (counts,) = output.header.counts.values()
    assert (counts.events_in, counts.rejected) == (9, 9)
    assert output.header.pack == PackHeader(SPOOL, 0, 0, 8, 9)


def test_the_pack_and_its_totals_are_copied() -> None:
    totals = Totals("edge", 5, 3, {"0": {"29833333": 5}})
    header = PackHeader(SPOOL, 7, 0, 0, 0)
    (output,) = Line().feed(SourceRecord(9, NOW, b"", headers_of(header, totals)))
    assert (output.rows, output.header.counts) == ([], {})
    assert (output.header.pack, output.header.totals) == (header, totals)


def test_a_gap_in_the_log_is_covered_by_the_record_after_it() -> None:
    known = constants().known(0, _empty())
    record = unpack(source(9, [hit(1)]), 5)
    run([record], known, Line().steps, Timing())
    header = read_enriched_headers(render(record, known).headers)
    assert not isinstance(header, Invalid)
    assert (header.source_from, header.source_offset) == (5, 9)


def _empty() -> Overlay:
    return Overlay(lambda keys: [None] * len(keys))


def balanced(output: Output) -> None:
    rows = Counter(type(row).__name__ for row in output.rows if not isinstance(row, RejectRow))
    rejected = sum(row.count for row in output.rows if isinstance(row, RejectRow))
    counts = output.header.counts.values()
    for minute in counts:
        assert minute.events_in == minute.out + minute.duplicate + minute.resent + minute.rejected
    assert sum(minute.out for minute in counts) == rows["EventRow"]
    assert sum(minute.relabels for minute in counts) == rows["RelabelRow"]
    assert sum(minute.rejected for minute in counts) == rejected


lines = st.lists(
    st.one_of(
        st.binary(max_size=40).filter(lambda line: b"\n" not in line),
        any_events.map(encode),
        any_relabels.map(encode),
        st.integers(0, 5).map(lambda number: encode(hit(number))),
    ),
    max_size=8,
)


@given(st.lists(lines, max_size=4))
def test_every_line_ends_in_exactly_one_place(packs: list[list[bytes]]) -> None:
    line = Line()
    for offset, pack in enumerate(packs):
        if pack in ([], [b""]) or pack[-1:] == [b""]:
            continue  # such a value has fewer lines than its header says
        (output,) = line.feed(raw_source(offset, pack))
        balanced(output)
        counts = output.header.counts.values()
        assert sum(minute.events_in + minute.relabels for minute in counts) == len(pack)
        assert not any(isinstance(row, RejectRow) and row.reason == "internal" for row in output.rows)


@pytest.mark.parametrize("example", golden_events(), ids=lambda example: f"{example['kind']}-{example['name']}")
def test_golden_events_pass_the_steps(example: dict[str, object]) -> None:
    event = decode(str(example["line"]).encode())
    assert not isinstance(event, Invalid)
    time_ms = event.event_time_ms + 1000
    (output,) = Line().feed(raw_source(0, [str(example["line"]).encode()], time_ms))
    (row,) = output.rows
    assert isinstance(row, RelabelRow if event.kind == "relabel" else EventRow), row
    assert {name: getattr(row, name) for name in Event.__struct_fields__} == msgspec.structs.asdict(event)


LARGEST_LABEL = "\x01" * 256  # six bytes each as JSON


def test_the_largest_pack_that_is_taken_fits_whatever_the_steps_add() -> None:
    """500 events of the largest findings there can be, and 500 rejects, both stay below the limit."""
    known = _known_of_largest()
    events = [hit(number, kind="click", url_id=3, user_agent="", message=number) for number in range(500)]
    record = unpack(source(0, events), 0)
    run([record], known.known(0, _empty()), Line().steps, Timing())
    assert sum(len(item.found.delivery_label) for item in record.items) == 500 * 256
    size = len(render(record, known.known(0, _empty())).value)
    assert 3_000_000 < size < MAX_VALUE_BYTES - 1024 * 1024
    (output,) = Line().feed(raw_source(0, [b"\xff" * 2000] * 500))
    assert len(output.rows) == 500


def _known_of_largest() -> Constants:
    text = LARGEST_LABEL
    book = book_of(
        Delivery(delivery=7, label=text, campaign=text, category=text, type=text),
        DeliveryUrl(delivery=7, url_id=3, url="https://shop.example/", label=text, category=text),
    )
    return constants(deliveries=book)


def test_events_past_the_limit_become_rejects_not_a_poison_record() -> None:
    events = [hit(number) for number in range(20)]
    known = _known_of_largest().known(0, _empty())
    record = unpack(source(0, events), 0)
    run([record], known, Line().steps, Timing())
    limit = 64_000
    enriched = render(record, known, limit)
    output = read(enriched)
    assert len(enriched.value) <= limit
    assert len(split(enriched.value)) == 20
    kinds = [row.reason if isinstance(row, RejectRow) else "" for row in output.rows]
    assert 0 < kinds.count("too_large") < 20
    assert kinds == sorted(kinds)
    assert [row.original for row in output.rows if isinstance(row, RejectRow)] == [
        encode(event) for event, kind in zip(events, kinds, strict=True) if kind
    ]
    balanced(output)
