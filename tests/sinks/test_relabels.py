"""Re-labels: the signed rows, on a list and on the real tables (one suite), and what a redo finds after merges."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest

from sendtrail.enriched import EventRow
from sinks.blocks import Block, LoadedRecord, StoredLookup, Target
from sinks.rows import build
from sinks.stored import ClickHouseLookup
from tests.support.line import migrated
from tests.support.stack import ClickHouse
from tests.support.tracked import ListLookup, event, record, relabel, rows_of


class Table(StoredLookup, Protocol):
    """`events`, as far as re-labels see it."""

    def insert(self, block: Block) -> None: ...
    def merge(self) -> None: ...


class RealTable(ClickHouseLookup):
    """The real one. Every insert gets a token of its own: nothing here may be dropped as a repetition."""

    def insert(self, block: Block) -> None:
        self._client.execute(block.statement, block.data, columnar=True)

    def merge(self) -> None:
        self._client.execute("OPTIMIZE TABLE events FINAL")


@pytest.fixture(params=["list", pytest.param("real", marks=pytest.mark.stack)])
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    if request.param == "list":
        yield ListLookup()
        return
    clickhouse: ClickHouse = request.getfixturevalue("clickhouse")
    with migrated(clickhouse, request.getfixturevalue("database")) as client:
        yield RealTable(client)


def judged(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("sign", "rev", "class", "repeat", "hit", "reasons", "ruleset", "run"))


def place(row: dict[str, Any]) -> tuple[int, int]:
    return row["src_offset"], row["src_index"]


def everything_but(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


FULL: dict[str, Any] = {
    "kind": "click", "recipient": 0, "recipient_name": "ü", "url_id": 9, "position": 2, "destination": "https://a",
    "person": "ab" * 16, "visitor": "cd" * 16, "visitor_is_new": True, "user_agent": "M\0zilla", "address": "::1",
    "referrer": "r", "hints": ["gpc", ""], "provider_hints": ["a,b"], "client": "Safari", "account": "acme",
    "attributes": {"a": "", "": "b"}, "amount": -5, "articles": 2, "page": "/", "site": "s", "order_id": "o",
    "currency": "EUR", "how": "view", "format": "text", "class_reasons": ["x", "y"], "class_ruleset": "1",
    "flags": 4, "marks": ["late"], "index": 8,
}  # fmt: skip


def test_a_relabel_takes_the_row_back_and_adds_the_new_one(table: Table) -> None:
    click = event(**FULL)
    first = build([record(10, [click])], table)
    table.insert(first.events)
    change = relabel(click, reasons=["burst"], ruleset="2", run="r1")
    blocks = build([record(20, [event(), change])], table)
    (old,), (_, minus, plus) = rows_of(first.events), rows_of(blocks.events)
    assert judged(minus) == (-1, 0, 1, 0, 1, "x,y", "1", "")
    assert judged(plus) == (1, 1, 2, 0, 1, "burst", "2", "r1")
    assert (place(minus), place(plus)) == ((20, 2), (20, 3))
    moved = ("sign", "src_offset", "src_index", "log_time")
    assert everything_but(minus, *moved) == everything_but(old, *moved)
    changed = (*moved, "rev", "class", "reasons", "ruleset", "run", "history")
    assert everything_but(plus, *changed) == everything_but(old, *changed)
    assert (blocks.relabelled, blocks.relabels_refused, blocks.stored) == (1, 0, 1)


def test_a_repeat_mark_takes_a_hit_out_of_the_count_and_puts_it_back(table: Table) -> None:
    click = event(repeat=True)
    out, back = relabel(click, "human", new_repeat=False), relabel(click, "human", new_repeat=True)
    blocks = build([record(0, [click]), record(1, [out]), record(2, [back])], table)
    assert [(row["sign"], row["repeat"], row["hit"]) for row in rows_of(blocks.events)] == [
        (1, 1, 0), (-1, 1, 0), (1, 0, 1), (-1, 0, 1), (1, 1, 0),
    ]  # fmt: skip


def test_earlier_rows_of_the_batch_count_as_stored_also_within_one_record(table: Table) -> None:
    click = event()
    changes = [relabel(click, "machine"), relabel(click, "unknown")]
    blocks = build([record(0, [click, *changes])], table)
    assert [(row["sign"], row["rev"], row["class"], place(row)) for row in rows_of(blocks.events)] == [
        (1, 0, 1, (0, 0)), (-1, 0, 1, (0, 3)), (1, 1, 2, (0, 4)), (-1, 1, 2, (0, 5)), (1, 2, 3, (0, 6)),
    ]  # fmt: skip


@pytest.mark.parametrize("merged", [False, True])
def test_a_redo_writes_the_same_rows(table: Table, merged: bool) -> None:
    """Also where merges took away the rows that the first try had read."""
    clicks = [event(**FULL), event(), event()]
    before = [record(0, clicks), record(1, [relabel(clicks[0], "unknown", ruleset="a")])]
    table.insert(build(before, table).events)
    plan = [
        record(2, [relabel(clicks[0], ruleset="b"), relabel(clicks[1], new_repeat=True), relabel(clicks[0], "human")]),
        record(3, [late := event(), relabel(late), relabel(clicks[0], "unknown"), relabel(clicks[2])]),
    ]
    first = build(plan, table)
    assert first.relabelled == 6
    table.insert(first.events)
    if merged:
        table.merge()
    again = build(plan, table)
    assert rows_of(again.events) == rows_of(first.events)
    assert again[1:] == first[1:]


def test_what_a_relabel_can_not_correct_is_a_reject(table: Table) -> None:
    sent, click = event(kind="sent"), event()
    table.insert(build([record(0, [sent, click])], table).events)
    other = event(delivery=8)
    nowhere, feed, elsewhere = relabel(event()), relabel(sent), relabel(other, target_id=click.event_id)
    no_class, comma = relabel(click, new_class=None), relabel(click, reasons=["a,b"])  # type: ignore[arg-type]
    blocks = build([record(1, [nowhere, feed, elsewhere, no_class, comma])], table)
    reasons = blocks.rejects.data[blocks.rejects.columns.index("reason")]
    assert reasons == ["unknown_target"] * 3 + ["bad_field"] * 2
    assert (blocks.events.rows, blocks.relabels_refused, blocks.refused) == (0, 5, 0)


def test_a_target_that_comes_later_is_unknown(table: Table) -> None:
    click = event()
    records = [record(0, [relabel(click)]), record(1, [click])]
    blocks = build(records, table)
    assert (blocks.relabelled, blocks.relabels_refused) == (0, 1)
    table.insert(blocks.events)
    assert build(records, table).rejects == blocks.rejects


def test_what_an_earlier_topic_left_is_always_before(table: Table) -> None:
    click = event()
    table.insert(build([record(900, [click])], table).events)
    blocks = build([record(0, [relabel(click)], topic_id="another-topic")], table)
    assert blocks.relabelled == 1


@pytest.mark.parametrize("count", [3, 1_500])
def test_many_relabels_at_once(table: Table, count: int) -> None:
    clicks = [event(delivery=number % 3) for number in range(count)]
    table.insert(build([record(0, clicks)], table).events)
    blocks = build([record(1, [relabel(click) for click in clicks])], table)
    assert blocks.relabelled == count


def test_history_holds_every_judgement(table: Table) -> None:
    click = event()
    steps: list[Callable[[], LoadedRecord]] = [
        lambda: record(1, [relabel(click, "machine", reasons=["burst"], ruleset="2", run="a")]),
        lambda: record(2, [relabel(click, "unknown", new_repeat=True, ruleset="3", run="b")]),
    ]
    table.insert(build([record(0, [click])], table).events)
    for step in steps:
        table.insert(build([step()], table).events)
    table.merge()
    (row,) = table.rows({target_of(click)}).values()
    assert [list(entry)[1:] for entry in row["history"]] == [
        [0, 0, 1, 1, 0, "", "", ""],
        [1, 2, 2, 1, 0, "burst", "2", "a"],
    ]
    assert judged(row) == (1, 2, 3, 1, 0, "", "3", "b")


def target_of(row: EventRow) -> Target:
    return Target(row.delivery, bytes.fromhex(row.event_id))
