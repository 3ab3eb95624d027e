"""Floods: what is one, what is none, and how much is remembered."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.edge.floods import WINDOW_S, Floods
from sendtrail.events import Event

LIMIT = 10


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def hit(message: int = 1, address: str = "192.0.2.1", **fields: Any) -> Event:
    values = {"kind": "click", "delivery": 17, "url_id": 5, **fields}
    return Event(version=1, event_id="0" * 32, event_time_ms=0, message=message, address=address, **values)


def flooded(floods: Floods, number: int, *events: Event) -> list[bool]:
    return [floods.holds(event) for _ in range(number) for event in events]


def test_one_link_from_one_address_past_the_limit() -> None:
    floods = Floods(LIMIT, Clock())
    assert flooded(floods, 15, hit()) == [False] * LIMIT + [True] * 5


@pytest.mark.parametrize(
    "other",
    [hit(2), hit(address="192.0.2.2"), hit(delivery=18), hit(url_id=6), hit(kind="open")],
    ids=["message", "address", "delivery", "link", "kind"],
)
def test_another_link_or_address_is_another_matter(other: Event) -> None:
    floods = Floods(LIMIT, Clock())
    assert flooded(floods, LIMIT, hit(), other) == [False] * 2 * LIMIT


def test_a_mailbox_providers_proxy_that_fetches_many_messages_is_no_flood() -> None:
    floods = Floods(LIMIT, Clock())
    assert not any(floods.holds(hit(message, kind="open")) for message in range(5000))


def test_an_ipv6_client_is_its_network() -> None:
    floods = Floods(LIMIT, Clock())
    same = [hit(address=f"2001:db8:1:2::{number:x}") for number in range(LIMIT + 1)]
    assert [floods.holds(event) for event in same] == [False] * LIMIT + [True]
    assert not floods.holds(hit(address="2001:db8:1:3::1"))


def test_confirmed_optouts_are_never_a_flood() -> None:
    floods = Floods(LIMIT, Clock())
    assert not any(flooded(floods, 50, hit(kind="optout", how="one_click"), hit(kind="optout", how="form")))
    assert any(flooded(floods, 50, hit(kind="optout", how="view")))


def test_without_a_limit_nothing_is_a_flood_or_remembered() -> None:
    floods = Floods(0, Clock())
    assert not any(flooded(floods, 500, hit()))
    assert floods.keys == 0


def test_a_flood_that_goes_on_stays_one_and_one_that_ebbs_ends() -> None:
    clock = Clock()
    floods = Floods(LIMIT, clock)
    flooded(floods, 40, hit())
    clock.now += WINDOW_S
    floods.turn()
    assert floods.holds(hit())  # half of 40 still counts
    for _ in range(4):
        clock.now += WINDOW_S
        floods.turn()
        last = floods.holds(hit())
    assert not last


def test_an_address_may_have_a_limit_over_all_links() -> None:
    floods = Floods(3, Clock(), per_address=5)
    assert [floods.holds(hit(message)) for message in range(7)] == [False] * 5 + [True] * 2
    assert flooded(floods, 4, hit(address="192.0.2.9")) == [False] * 3 + [True]
    only = Floods(0, Clock(), per_address=5)
    assert flooded(only, 7, hit()) == [False] * 5 + [True] * 2


@given(st.lists(st.integers(0, 30), max_size=400), st.integers(1, 5), st.integers(1, 6))
def test_memory_is_bounded_and_no_hit_within_the_limit_is_ever_a_flood(
    messages: list[int], limit: int, max_keys: int
) -> None:
    floods = Floods(limit, Clock(), max_keys=max_keys)
    seen: Counter[int] = Counter()
    for message in messages:
        seen[message] += 1
        assert not floods.holds(hit(message)) or seen[message] > limit
        assert floods.keys <= 2 * max_keys
