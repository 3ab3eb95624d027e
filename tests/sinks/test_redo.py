"""An open plan read back as a whole: the same records as the first time, ends of the own partitions only."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from sendtrail.enriched import EnrichedHeader, enriched_headers
from sinks.plan import Commit, CommitMetadata, Plan, Range, RangeGone
from sinks.redo import Redo, gather
from sinks.resume import Open, Stop

TOPIC = "4f1c2a3e-0000-4000-8000-000000000001"
PLAN = Plan(TOPIC, "log", {0: (10, 13), 1: (4, 6)})


def record(offset: int, first: int, last: int) -> Any:
    headers = enriched_headers(EnrichedHeader(TOPIC, first, last, {}))
    return SimpleNamespace(offset=offset, headers=headers, value=b"", timestamp=1_000)


LOG = {
    0: [record(10, 5, 5), record(11, 3, 4), record(12, 6, 7)],
    1: [record(4, 9, 9), record(5, 10, 10)],
}


def intent(last: int) -> CommitMetadata:
    return CommitMetadata(TOPIC, last, PLAN.ranges, log="log")


def opened(offset: int, last: int) -> Open:
    return Open(Commit(offset, intent(last)), PLAN, intent(last))


class Reader:
    def __init__(self) -> None:
        self.asked: list[Mapping[int, Range]] = []

    def __call__(self, ranges: Mapping[int, Range]) -> Mapping[int, list[Any]]:
        self.asked.append(dict(ranges))
        return {number: LOG[number] for number in ranges}


def test_every_range_is_read_and_the_chain_drops_what_it_dropped_before() -> None:
    read = Reader()
    redo = gather(PLAN, {0: opened(10, 4), 1: opened(4, 8)}, {}, read)
    assert isinstance(redo, Redo)
    assert redo.records is not None
    assert [(each.partition, each.offset) for each in redo.records] == [(0, 10), (0, 12), (1, 4), (1, 5)]
    assert redo.ends == {0: (13, 7), 1: (6, 10)}
    assert read.asked == [PLAN.ranges]


def test_ranges_of_others_are_read_and_not_committed() -> None:
    redo = gather(PLAN, {0: opened(10, 4)}, {1: Commit(4, intent(8))}, Reader())
    assert isinstance(redo, Redo)
    assert redo.records is not None
    assert {each.partition for each in redo.records} == {0, 1}
    assert redo.ends == {0: (13, 7)}


def test_a_plan_whose_end_another_owner_committed_was_inserted_whole() -> None:
    read = Reader()
    redo = gather(PLAN, {0: opened(10, 4)}, {1: Commit(6, CommitMetadata(TOPIC, 10))}, read)
    assert redo == Redo(None, {0: (13, 7)})
    assert read.asked == [{0: (10, 13)}]


def test_commits_that_are_not_of_the_plan_stop_it() -> None:
    found = gather(PLAN, {0: opened(10, 4)}, {1: Commit(5, CommitMetadata(TOPIC, 9))}, Reader())
    assert isinstance(found, Stop)
    assert "[1]" in found.reason


def test_records_that_are_gone_stop_it() -> None:
    def read(ranges: Mapping[int, Range]) -> Mapping[int, list[Any]]:
        raise RangeGone("offsets 10 to 12 are asked for, 40 to 50 are there")

    found = gather(PLAN, {0: opened(10, 4)}, {1: Commit(4, intent(8))}, read)
    assert isinstance(found, Stop)
    assert "offsets 10 to 12" in found.reason
