"""The ledger finds what is lost, doubled or made up, and takes no excuse that does not add up."""

from __future__ import annotations

from typing import Any

import pytest

from tests.chaos.ledger import Ledger, Stored, settle
from tests.chaos.sent import Sent


def sent() -> Sent:
    return Sent(
        hits={1: "edge1", 2: "edge2", 3: "edge1"}, silent_hits={4: "edge1", 5: "edge2"}, ahead={3}, items={1, 2},
        told={7}, orders={"o-1"}, poisons={"poison-a": "bad_pack"},
    )  # fmt: skip


def stored(**changed: Any) -> Stored:
    found: dict[str, Any] = {
        "hits": {1: 1, 2: 1, 4: 1}, "rejected_hits": {3: 1}, "items": {1: 1, 2: 1}, "told": {7: 1},
        "orders": {"o-1": 1}, "poisons": {"poison-a": ("bad_pack", 1)},
    }  # fmt: skip
    return Stored(**(found | changed))


def numbers(ledger: Ledger) -> tuple[int, int, bool]:
    return ledger.lost, ledger.twice, ledger.even


def test_an_even_ledger_says_so() -> None:
    ledger = settle(sent(), stored(), {})
    assert numbers(ledger) == (0, 0, True)
    assert ledger.last_line(12) == "ledger: 8 sent, 8 stored, 0 lost, 0 twice, 12 faults"
    hits = ledger.lines[0]
    assert (hits.sent, hits.stored, hits.rejected, hits.silent, hits.silent_stored) == (3, 2, 1, 2, 1)


def test_what_a_full_disk_lost_is_no_loss_if_its_edge_counted_it() -> None:
    gone = stored(hits={1: 1, 4: 1})
    ledger = settle(sent(), gone, {"edge2": 1})
    assert numbers(ledger) == (0, 0, True)
    assert ledger.last_line(0) == "ledger: 7 sent, 7 stored, 0 lost, 0 twice, 0 faults"
    assert numbers(settle(sent(), gone, {})) == (1, 0, False)
    assert not settle(sent(), gone, {"edge1": 1}).even
    assert not settle(sent(), gone, {"edge2": 2}).even
    assert not settle(sent(), stored(), {"edge2": 1}).even


@pytest.mark.parametrize(
    ("changed", "lost", "twice"),
    [
        ({"hits": {1: 1, 2: 2}}, 0, 1),
        ({"hits": {1: 1, 2: 1, 4: 2}}, 0, 1),  # one without an answer may be there, but not twice
        ({"rejected_hits": {}}, 1, 0),
        ({"rejected_hits": {2: 1, 3: 1}}, 0, 1),  # a row of events and of rejects
        ({"hits": {2: 1}, "rejected_hits": {1: 1, 3: 1}}, 0, 0),  # rejected for a clock that was right
        ({"hits": {1: 1, 2: 1, 99: 1}}, 0, 0),
        ({"items": {1: 1}}, 1, 0),
        ({"told": {7: 3}}, 0, 1),
        ({"orders": {}}, 1, 0),
        ({"poisons": {}}, 1, 0),
        ({"poisons": {"poison-a": ("bad_pack", 2)}}, 0, 1),
        ({"poisons": {"poison-a": ("undecodable", 1)}}, 0, 0),
        ({"strangers": ["a row of nothing"]}, 0, 0),
    ],
)
def test_nothing_wrong_passes(changed: dict[str, Any], lost: int, twice: int) -> None:
    ledger = settle(sent(), stored(**changed), {})
    assert numbers(ledger) == (lost, twice, False)
    assert ledger.problems
