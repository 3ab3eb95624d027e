"""A failure stays with the event it happens on; state is read once for a batch."""

from __future__ import annotations

import logging

import pytest

from sendtrail.enriched import EventRow, RejectRow
from sendtrail.events import encode
from streams.app import STEPS
from streams.items import Covering, Item, Known
from streams.pipeline import FEW_BYTES, StateStep, Step, Timing, enrich
from streams.state.overlay import Overlay
from tests.streams.making import Line, constants, hit, source


def fails_on_two(item: Item, known: Known) -> None:
    if item.event.index == 2:
        raise ZeroDivisionError("a rule nobody tried")


def reads_fail_on_two(item: Item, known: Known) -> bytes | None:
    fails_on_two(item, known)
    return None


def state_fails_on_two(item: Item, known: Known, key: bytes) -> None:
    fails_on_two(item, known)


@pytest.mark.parametrize(
    "step",
    [
        Step("new rule", fails_on_two),
        StateStep("new rule", reads_fail_on_two, lambda item, known, key: None),
        StateStep("new rule", lambda item, known: b"s", state_fails_on_two),
    ],
)
def test_a_step_that_fails_costs_one_event(step: Step | StateStep, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        (output,) = Line(steps=(*STEPS, step)).feed(source(0, [hit(1), hit(2), hit(3)]))
    assert [type(row) for row in output.rows] == [EventRow, RejectRow, EventRow]
    reject = output.rows[1]
    assert isinstance(reject, RejectRow)
    assert (reject.reason, reject.original) == ("internal", encode(hit(2)))
    assert "ZeroDivisionError" in reject.detail
    assert "new rule" in reject.detail
    (counts,) = output.header.counts.values()
    assert (counts.events_in, counts.out, counts.rejected) == (3, 2, 1)


def test_the_state_of_a_few_packs_is_read_at_once_and_written_values_are_seen() -> None:
    reads: list[int] = []

    def read(keys: list[bytes]) -> list[bytes | None]:
        reads.append(len(keys))
        return [None] * len(keys)

    known = constants().known(0, Overlay(read))
    packs = [Covering(source(offset, [hit(1), hit(offset + 2)]), offset) for offset in range(4)]
    outputs = list(enrich(packs, known, STEPS, Timing()))
    assert [len(output.value.splitlines()) for output in outputs] == [2, 1, 1, 1]
    assert len(reads) == 3  # marks, ids, counted opens


def test_what_is_worked_on_at_once_is_bounded() -> None:
    large = [Covering(source(n, [hit(n, referrer="x" * 2000) for _ in range(50)]), n) for n in range(4)]
    assert sum(len(pack.record.value) for pack in large) > 2 * FEW_BYTES
    timing = Timing()
    assert len(list(enrich(large, constants().known(0, Overlay(lambda keys: [None] * len(keys))), STEPS, timing))) == 4
    assert set(timing.seconds) == {"unpack", "render", *(step.name for step in STEPS)}
