"""Which indexes of a segment are missing, and which hole of the log swallowed them: on packs written by hand."""

from collections import Counter

import pytest

from sinks.audit_findings import Hole, Segment, ranges_text, runs
from sinks.audit_spool import Pack, assign, missing_indexes

SPOOL = "ab" * 16


@pytest.mark.parametrize(
    ("packs", "events", "missing"),
    [
        ([(0, 0, 499, 500), (0, 500, 799, 300)], 800, []),
        ([(0, 0, 499, 500)], 800, [(500, 799)]),
        ([(0, 500, 799, 300)], 800, [(0, 499)]),
        ([(0, 0, 8, 5), (1, 1, 9, 5), (0, 10, 18, 5)], 20, [(10, 19)]),  # one of two partitions, of the second batch
        ([(0, 0, 8, 5), (1, 1, 9, 5), (0, 10, 18, 5), (1, 11, 19, 5)], 20, []),
        ([(0, 0, 499, 500), (0, 0, 499, 0), (0, 500, 799, 300)], 800, []),  # sent again
        ([], 3, [(0, 2)]),
    ],
)
def test_indexes_that_are_missing(packs: list[tuple[int, ...]], events: int, missing: list[tuple[int, int]]) -> None:
    made = [Pack(partition, offset, first, last, new) for offset, (partition, first, last, new) in enumerate(packs)]
    assert missing_indexes(made, events) == missing


def test_a_loss_is_of_the_hole_between_its_neighbours() -> None:
    early, late, other = (
        Hole("t", partition, first, last, "empty") for partition, first, last in ((0, 4, 6), (0, 40, 41), (1, 4, 6))
    )
    places = {(SPOOL, 0): [(0, 0, 3), (2, 7, 20), (4, 42, 50)]}
    short = {(Segment(SPOOL, sequence), 0): Counter({5: 1}) for sequence in (1, 3)}
    found = assign(short, places, [early, late, other])
    assert {hole: [segment.sequence for segment, _ in of] for hole, of in found.items()} == {early: [1], late: [3]}


def test_a_loss_without_a_hole_is_of_none() -> None:
    hole = Hole("t", 0, 40, 41, "empty")
    short = {(Segment(SPOOL, 1), 0): Counter({5: 1})}
    assert assign(short, {(SPOOL, 0): [(0, 0, 3), (2, 4, 20)]}, [hole]) == {None: short}
    assert assign(short, {}, []) == {None: short}


def test_ranges_read_well() -> None:
    assert runs([3, 1, 2, 7, 7]) == [(1, 3), (7, 7)]
    assert ranges_text([(1, 3), (7, 7)]) == "1-3, 7"
    assert ranges_text([(n, n) for n in range(0, 14, 2)]) == "0, 2, 4, 6, 8 and 2 more ranges"
