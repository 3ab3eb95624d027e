"""The schedule of faults: the same for a seed, bounded, dealt fairly."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chaos.faults import Faults
from tests.chaos.lanes import Rounds
from tests.chaos.schedule import LANES, LULL_S, ROUND_S, SESSION_S, Fault, schedule

few = settings(max_examples=20)
seeds = st.integers(0, 10**6)
seconds = st.floats(1, 600)


def card(fault: Fault) -> tuple[str, str]:
    return fault.kind, fault.detail if fault.kind == "poison" else ""


@few
@given(seeds, seconds)
def test_a_seed_has_one_schedule_and_every_lane_begins(seed: int, length: float) -> None:
    lanes = schedule(seed, length)
    assert lanes == schedule(seed, length)
    assert list(lanes) == list(LANES)
    assert all(lanes.values())


@few
@given(seeds, seconds)
def test_faults_of_a_lane_come_in_time_one_after_the_other(seed: int, length: float) -> None:
    for name, faults in schedule(seed, length).items():
        assert all(fault.at_s < length for fault in faults[1:])
        for one, following in pairwise(faults):
            assert one.at_s + one.seconds + LANES[name].calm_s <= following.at_s


@few
@given(seeds, seconds)
def test_every_round_ends_with_a_lull(seed: int, length: float) -> None:
    for faults in schedule(seed, length).values():
        assert all(fault.at_s % ROUND_S < ROUND_S - LULL_S for fault in faults)


@few
@given(seeds)
def test_every_card_is_dealt_once_before_any_comes_again(seed: int) -> None:
    for name, faults in schedule(seed, 1200).items():
        cards = Counter((one.kind, one.details[0] if one.kind == "poison" else "") for one in LANES[name].cards)
        size = cards.total()
        assert len(faults) > 2 * size
        for start in range(0, len(faults) - size + 1, size):
            assert Counter(map(card, faults[start : start + size])) == cards


@few
@given(seeds)
def test_a_frozen_member_outlasts_its_session(seed: int) -> None:
    lanes = schedule(seed, 600)
    frozen = [fault for lane in ("worker", "loader") for fault in lanes[lane] if fault.kind == "freeze"]
    assert frozen
    assert all(fault.seconds > SESSION_S for fault in frozen)


def test_a_round_waits_until_what_was_sent_before_is_stored() -> None:
    sent, stored = 100, 0
    rounds = Rounds(lambda: sent, lambda: stored)
    assert rounds.may_begin(0)
    assert not rounds.may_begin(1)
    sent, stored = 200, 89
    assert not rounds.may_begin(1)
    stored = 90
    assert rounds.may_begin(1)
    assert not rounds.may_begin(2)


def test_every_kind_of_fault_can_be_carried_out() -> None:
    kinds = {one.kind for lane in LANES.values() for one in lane.cards}
    assert [kind for kind in kinds if not callable(getattr(Faults, f"_{kind}", None))] == []


def test_a_fault_reads_as_a_sentence() -> None:
    fault = Fault(1.0, "engine", "kill_at_rename", "engine", detail="events")
    assert str(fault) == "kill at rename engine events"
    assert str(Fault(1.0, "edge", "freeze", "edge1", 2.5)) == "freeze edge1 for 2.5 s"
