"""Enriched records -> columns: every line ends in exactly one place."""

import json
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendtrail.enriched import EventRow, MinuteCounts, RejectRow
from sendtrail.events import FEED, HITS
from sendtrail.ids import hit_id, transaction_id
from sendtrail.packs import PackHeader, Totals, minute_of
from sinks.blocks import BadLine, Block
from sinks.rows import UnknownMapping, build
from tests.support.tracked import (
    NOW_MS,
    TOPIC,
    AnyRow,
    ListLookup,
    as_given,
    event,
    record,
    relabel,
    rows_of,
)

MINUTE = minute_of(NOW_MS)


def column(block: Block, name: str) -> list[object]:
    return block.data[block.columns.index(name)]


def only(block: Block) -> dict[str, object]:
    """The single row of a block."""
    assert block.rows == 1
    return {name: values[0] for name, values in zip(block.columns, block.data, strict=True)}


def test_an_event_becomes_a_row() -> None:
    click = event(
        "0123456789abcdef" * 2, kind="click", delivery=2**64 - 1, message=5, recipient=0, url_id=9, position=2,
        destination="https://a.example/x#y", flags=4, visitor="00" * 15 + "07", visitor_is_new=True, index=31,
        user_agent="Mozilla", address="203.0.113.9", hints=["gpc"], class_reasons=["burst", "known_bot"],
        class_ruleset="3", marks=["late"], client="Safari", person="ff" * 16,
    )  # fmt: skip
    (row,) = rows_of(build([record(40, [click], partition=3)], ListLookup()).events)
    assert {name: value for name, value in row.items() if value or name in ("recipient_key", "repeat")} == {
        "delivery_id": 2**64 - 1, "event_id": bytes.fromhex("0123456789abcdef" * 2), "sign": 1, "kind": 2,
        "event_time": NOW_MS, "message_id": 5, "recipient_key": 0, "source": "edge", "hit": 1, "class": 1, "repeat": 0,
        "reasons": "burst,known_bot", "ruleset": "3", "marks": 1, "link_flags": 4, "url_id": 9, "position": 2,
        "destination": "https://a.example/x#y", "person": 2**128 - 1, "visitor": 7, "visitor_is_new": 1,
        "user_agent": "Mozilla", "address": "203.0.113.9", "hints": ["gpc"], "client": "Safari", "src_topic": TOPIC,
        "client_id": 15497211475939611805,
        "src_partition": 3, "src_offset": 40, "segment_index": 31, "log_time": NOW_MS + 40,
    }  # fmt: skip


def test_a_feed_event_keeps_names_reason_and_attributes() -> None:
    fed = event(
        kind="bounced", delivery_name="Autumn", message_name="m-1", recipient_name="a@b.example", domain="b.example",
        format="text", reason="spam", diagnostic="550 5.7.1", attributes={"lang": "fr"}, provider_event_id="x1",
        provider_hints=["h"],
    )  # fmt: skip
    (row,) = rows_of(build([record(0, [fed])], ListLookup()).events)
    names = ("kind", "hit", "delivery_name", "message_name", "recipient_name", "domain", "format", "reason")
    assert [row[name] for name in names] == [14, 0, "Autumn", "m-1", "a@b.example", "b.example", "text", "spam"]
    assert (row["diagnostic"], row["attributes"], row["provider_event_id"]) == ("550 5.7.1", {"lang": "fr"}, "x1")
    assert row["provider_hints"] == ["h"]


@pytest.mark.parametrize("kind", sorted(HITS | FEED))
def test_what_counts_as_a_hit(kind: str) -> None:
    """METRICS: not a repeat, not of a seed or proof, not marked flood, foreign or expired; class is no matter."""
    for repeat, flags, marks, class_ in product(
        (False, True), (0, 1, 2, 4, 8, 16), ([], ["late"], ["flood"], ["foreign"], ["expired"]), ("human", "machine")
    ):
        row = event(kind=kind, repeat=repeat, flags=flags, marks=marks, class_=class_)
        counted = kind in HITS and not repeat and flags not in (1, 2) and marks in ([], ["late"])
        assert rows_of(build([record(0, [row])], ListLookup()).events)[0]["hit"] == int(counted)


def test_columns_of_defaults_are_left_out() -> None:
    blocks = build([record(0, [event(), event()])], ListLookup())
    assert "destination" not in blocks.events.columns
    assert "recipient_key" not in blocks.events.columns
    assert set(map(len, blocks.events.data)) == {2}


def test_a_recipient_of_key_0_is_known() -> None:
    blocks = build([record(0, [event(recipient=0), event()])], ListLookup())
    assert column(blocks.events, "recipient_key") == [0, None]


def test_a_line_that_clickhouse_would_refuse_is_a_reject_beside_its_neighbours() -> None:
    bad = event(url_id=2**40, recipient_name="ü")
    blocks = build([record(5, [event(), bad, event()], partition=2)], ListLookup())
    assert (blocks.events.rows, blocks.stored, blocks.refused) == (2, 2, 1)
    assert column(blocks.events, "src_index") == [0, 2]
    reject = only(blocks.rejects)
    assert (reject["reason"], reject["stage"], reject["src_offset"], reject["src_index"]) == ("bad_field", 2, 5, 1)
    assert "url_id" in str(reject["detail"])
    original = json.loads(str(reject["original"], "utf-8"))  # type: ignore[call-overload]
    assert original == {"v": 1, "id": bad.event_id, "k": "open", "t": NOW_MS, "src": "edge", "d": 7, "m": 3} | {
        "rn": "ü",
        "u": 2**40,
    }


def odd(number: int) -> EventRow:
    """An event with something in each field that is mostly empty, or too large, now and then."""
    return event(
        recipient=number if number % 3 else None, url_id=2**40 if number in (450, 451, 700) else number % 4 or None,
        person=f"{number:032x}" if number % 5 else "", visitor="ab" * 16 if number % 7 == 0 else None,
        hints=["gpc"] if number % 11 == 0 else [], attributes={"n": str(number)} if number % 250 == 0 else {},
        class_reasons=["burst"] if number % 2 else [], marks=["flood"] if number == 321 else [],
        client="Safari" if number % 13 else "", account=str(number % 3) if number > 500 else "",
    )  # fmt: skip


def test_rows_of_a_large_block_are_those_of_its_records_one_by_one() -> None:
    records = [record(at, [odd(number) for number in range(at * 90, at * 90 + 90)]) for at in range(9)]
    whole, alone = build(records, ListLookup()), [build([each], ListLookup()) for each in records]
    assert whole.refused == 3
    for table in ("events", "rejects"):
        rows = [row for blocks in alone for row in rows_of(getattr(blocks, table))]
        assert rows_of(getattr(whole, table)) == rows
    assert whole.events.rows == 9 * 90 - 3
    persons = [0 if number % 5 == 0 else number for number in range(810) if number not in (450, 451, 700)]
    assert column(whole.events, "person") == persons


def test_a_line_that_is_no_row_is_a_reject() -> None:
    blocks = build([as_given(9, [event(source_offset=9), BadLine(b"\xff{", 1, "not JSON")])], ListLookup())
    reject = only(blocks.rejects)
    assert (reject["reason"], reject["original"], reject["src_offset"], reject["src_index"]) == (
        "bad_field",
        b"\xff{",
        9,
        1,
    )
    assert (blocks.stored, blocks.refused) == (1, 1)


def test_a_reject_of_streams_is_kept_as_it_is() -> None:
    came = RejectRow(
        source_offset=2**70,
        source_index=2**40,
        key="k",
        reason="bad_pack",
        original=b"\0\xff",
        time_ms=2**60,
        count=2**40,
    )
    reject = only(build([as_given(3, [came])], ListLookup()).rejects)
    assert (reject["reject_key"], reject["reason"], reject["original"]) == ("k", "bad_pack", b"\0\xff")
    assert (reject["src_offset"], reject["src_index"], reject["count"]) == (2**64 - 1, 2**32 - 1, 2**32 - 1)


def test_audit_says_what_became_of_a_record() -> None:
    pack = PackHeader("ab" * 16, 7, 10, 14, 5)
    totals = Totals("edge-1", 5, 4, {"0": {"1": 5}})
    counts = {str(MINUTE): MinuteCounts(events_in=5, out=3, duplicate=1, rejected=1), "7": MinuteCounts(relabels=2)}
    rows: list[AnyRow] = [
        event(),
        event(url_id=2**40),
        RejectRow(source_offset=8, source_index=3, key="k", reason="bad_id"),
    ]
    blocks = build([record(8, rows, partition=1, pack=pack, totals=totals, counts=counts)], ListLookup())
    assert only(blocks.audit) == {
        "src_topic": TOPIC, "src_partition": 1, "src_from": 8, "src_offset": 8, "enriched_offset": 8,
        "log_time": NOW_MS + 8, "spool": "ab" * 16, "segment": 7, "first_index": 10, "last_index": 14, "pack_events": 5,
        "totals": '{"edge":"edge-1","events":5,"previous":4,"counts":{"0":{"1":5}}}',
        "minute": [7, MINUTE], "events_in": [0, 5], "out": [0, 3], "duplicate": [0, 1], "resent": [0, 0],
        "rejected": [0, 1], "relabels": [2, 0], "stored": [0, 1], "late_duplicate": [0, 0], "refused": [0, 1],
        "event_rows": 1, "reject_rows": 2,
    }  # fmt: skip


def test_the_minute_is_that_of_the_id() -> None:
    bought = event(transaction_id("", "shop", "1"), kind="transaction", site="shop", order_id="1")
    audit = only(build([record(0, [bought, event(event_time_ms=NOW_MS + 60_000)])], ListLookup()).audit)
    assert (audit["minute"], audit["stored"]) == ([0, MINUTE + 1], [1, 1])


def test_an_empty_record_still_moves_the_chain() -> None:
    blocks = build([record(4, [])], ListLookup())
    assert (blocks.events.rows, blocks.rejects.rows, only(blocks.audit)["src_offset"]) == (0, 0, 4)


def test_headers_out_of_range_do_no_harm() -> None:
    counts = {"x": MinuteCounts(events_in=-1), "99" * 20: MinuteCounts(out=2**80)}
    audit = only(build([record(0, [event()], counts=counts)], ListLookup()).audit)
    assert (audit["minute"], audit["out"]) == ([0, MINUTE], [2**64 - 1, 0])


def test_records_are_taken_in_order_of_partition_and_offset() -> None:
    records = [record(offset, [event()], partition) for partition, offset in ((1, 4), (0, 9), (1, 3), (0, 8))]
    blocks = build(records, ListLookup())
    assert blocks == build(records[::-1], ListLookup())
    assert column(blocks.events, "src_offset") == [8, 9, 3, 4]


def test_a_mapping_of_a_newer_release_is_refused() -> None:
    with pytest.raises(UnknownMapping, match="version 99"):
        build([], ListLookup(), mapping_version=99)


def test_a_late_event_that_is_stored_is_counted_and_not_stored_again() -> None:
    stored = ListLookup()
    first = event()
    stored.insert(build([record(1, [first])], stored).events)
    again = event(first.event_id, marks=["late"])
    blocks = build([record(5, [again, event()])], stored)
    assert (blocks.stored, blocks.late_duplicates) == (1, 1)
    assert only(blocks.audit)["late_duplicate"] == [1]


def test_a_redo_keeps_a_late_event_it_finds_stored_by_itself() -> None:
    stored = ListLookup()
    late = record(5, [event(marks=["late"])])
    first = build([late], stored)
    stored.insert(first.events)
    assert build([late], stored) == first
    assert first.late_duplicates == 0


def test_late_events_that_come_twice_in_a_batch_are_stored_once() -> None:
    event_id = hit_id(NOW_MS)
    records = [record(offset, [event(event_id, marks=["late"])]) for offset in (5, 6, 7)]
    blocks = build(records, ListLookup())
    assert (blocks.stored, blocks.late_duplicates) == (1, 2)
    assert column(blocks.events, "src_offset") == [5]


def test_a_late_event_that_was_relabelled_is_still_known_by_its_first_place() -> None:
    stored = ListLookup()
    first = event()
    stored.insert(build([record(1, [first]), record(9, [relabel(first)])], stored).events)
    stored.merge()
    blocks = build([record(5, [event(first.event_id, marks=["late"])])], stored)
    assert (blocks.stored, blocks.late_duplicates) == (0, 1)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["event", "late", "bad", "reject", "line", "relabel"]), st.integers(0, 2), st.integers(0, 3)
        ),
        max_size=25,
    )
)
def test_every_line_ends_in_exactly_one_place(lines: list[tuple[str, int, int]]) -> None:
    events = [event(f"{NOW_MS:012x}" + f"{number:020x}") for number in range(4)]
    rows: dict[int, list[AnyRow]] = {0: [], 1: [], 2: []}
    for kind, offset, number in lines:
        rows[offset].append(_line(kind, events[number]))
    records = [record(offset, of_record) for offset, of_record in rows.items()]
    blocks = build(records, ListLookup())
    kinds = [kind for kind, *_ in lines]
    counted = blocks.stored + blocks.late_duplicates + blocks.refused
    assert counted == sum(kinds.count(kind) for kind in ("event", "late", "bad", "line"))
    assert blocks.relabelled + blocks.relabels_refused == kinds.count("relabel")
    assert blocks.events.rows == blocks.stored + 2 * blocks.relabelled
    assert blocks.rejects.rows == kinds.count("reject") + blocks.refused + blocks.relabels_refused
    assert blocks.audit.rows == 3


def _line(kind: str, of: EventRow) -> AnyRow:
    if kind == "reject":
        return RejectRow(source_offset=0, source_index=0, key="k", reason="bad_id")
    if kind == "line":
        return BadLine(b"x", 0, "not JSON")
    if kind == "relabel":
        return relabel(of)
    return event(of.event_id, marks=["late"] if kind == "late" else [], url_id=2**40 if kind == "bad" else None)
