"""An address that follows links of very many messages is a machine's, from its first click on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendtrail.events import Event
from streams.rules import AddressRule, load_rules
from streams.watch_addresses import REASON
from tests.streams.making import NOW, Line, constants, hit, source
from tests.streams.test_judge_message import Ledger

SCANNER, OTHER = "198.18.0.1", "198.18.0.2"
HOUR = 3_600_000


def few(messages: int = 5, **changes: Any) -> Line:
    """A line whose limit is small."""
    rules = replace(load_rules(), address=AddressRule(messages, 60_000, 2))
    return Line(constants=constants(rules=rules, **changes))


def click(number: int, message: int, at: int = NOW, address: str = SCANNER, **fields: Any) -> Event:
    return hit(number, kind="click", at=at, message=message, url_id=1, address=address, **fields)


def test_all_its_clicks_of_that_minute_are_taken_back_and_nobody_else_s() -> None:
    ledger = Ledger(few())
    ledger.send(click(100, 1, address=OTHER))
    for message in range(1, 5):
        ledger.send(click(message, message, at=NOW + message * 1_000))
    assert set(ledger.classes()) == {"human"}
    ledger.send(click(5, 5, at=NOW + 5_000))
    ledger.send(click(6, 6, at=NOW + 6_000))
    assert ledger.classes() == ["human", *["machine"] * 6]
    assert sorted(row.message for row in ledger.relabels) == [1, 2, 3, 4]
    assert {tuple(row.reasons) for row in ledger.relabels} == {(REASON,)}


@pytest.mark.parametrize(
    "clicks",
    [
        [click(n, 1, at=NOW + n * 5_000) for n in range(20)],
        [click(n, n, at=NOW + n * 16_000) for n in range(20)],
        [click(n, n, address=f"198.18.0.{n}") for n in range(20)],
        [click(n, n, address="10.0.0.1") for n in range(20)],
        [hit(n, kind="open", message=n, address=SCANNER) for n in range(20)],
        [hit(n, kind="optout", how="one_click", message=n, url_id=1, address=SCANNER) for n in range(20)],
    ],
    ids=["one message", "slowly", "many addresses", "a network known by name", "opens", "confirmed opt-outs"],
)
def test_what_is_no_sweep(clicks: list[Event]) -> None:
    ledger = Ledger(few())
    for event in clicks:
        ledger.send(event)
    assert set(ledger.classes()) == {"human"}


def test_the_number_is_shared_out_over_the_partitions() -> None:
    rule = AddressRule(200, 60_000, 20)
    assert [rule.limit(count) for count in (1, 3, 4, 24)] == [200, 67, 50, 20]
    assert load_rules().address is not None


def test_a_sweep_across_the_hour_of_log_time() -> None:
    ledger = Ledger(few())
    to_the_hour = HOUR - NOW % HOUR
    for message in range(1, 6):
        at = to_the_hour - 2_500 + message * 1_000
        ledger.send(click(message, message, at=NOW + at), after_ms=at + 1)
    assert set(ledger.classes()) == {"machine"}


def test_a_message_hit_before_knows_of_it_too() -> None:
    """Its repeats and its other hits are judged with the click that turned out a machine's."""
    ledger = Ledger(few())
    proxied = hit(50, message=1, user_agent="GoogleImageProxy", address=OTHER, at=NOW - 1_000)
    ledger.send(proxied)
    ledger.send(click(1, 1))
    assert ledger.now[proxied.event_id][0] == "human"  # a person seemed to click after it
    for message in range(2, 6):
        ledger.send(click(message, message, at=NOW + message * 100))
    assert ledger.now[proxied.event_id][0] == "unknown"


drawn = st.lists(
    st.tuples(st.integers(1, 6), st.integers(0, 90_000), st.sampled_from([SCANNER, SCANNER, OTHER])), max_size=16
)


@settings(max_examples=60, deadline=None)
@given(drawn, st.data())
def test_a_replay_from_anywhere_gives_the_same_records(made: list[Any], data: st.DataObject) -> None:
    log = [source(n, [click(n, message, at=NOW + at, address=address)], time_ms=NOW + 100_000)
           for n, (message, at, address) in enumerate(made)]  # fmt: skip
    line = few(3)
    first = [output for record in log for output in line.feed(record)]
    start = data.draw(st.integers(0, len(log)))
    again = [output for record in log[start:] for output in line.feed(record)]
    assert [output.rows for output in again] == [output.rows for output in first[start:]]


@settings(max_examples=60, deadline=None)
@given(drawn, st.data())
def test_records_of_any_size_end_alike(made: list[Any], data: st.DataObject) -> None:
    events = [click(n, message, at=NOW + at, address=address) for n, (message, at, address) in enumerate(made)]
    one, many = Ledger(few(3)), Ledger(few(3))
    for event in events:
        one.send(event, after_ms=100_000)
    rest = list(events)
    while rest:
        count = data.draw(st.integers(1, len(rest)))
        many.send(*rest[:count], after_ms=100_000)
        rest = rest[count:]
    assert one.now == many.now
