"""Formulas alone."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from dashboards.indicators import Base, Money, estimated, forwards, indicators, rate


def test_rates_over_nothing_are_none() -> None:
    assert rate(5, 0) is None
    assert rate(0, 5) == 0
    assert rate(1, 3) == Fraction(1, 3)


def test_estimates_round_half_up_and_are_0_where_all_is_text() -> None:
    assert estimated(3, 10, 4) == 5
    assert estimated(1, 3, 1) == 2  # 1.5
    assert estimated(7, 10, 10) == 0
    assert estimated(7, 10, 12) == 0
    assert estimated(0, 0, 0) == 0


@given(st.integers(0, 10**9), st.integers(0, 10**7), st.integers(0, 10**7))
def test_an_estimate_is_the_nearest_integer(opens: int, to_deliver: int, text: int) -> None:
    value = estimated(opens, to_deliver, text)
    if to_deliver > text:
        off = value - Fraction(opens * to_deliver, to_deliver - text)
        assert Fraction(-1, 2) < off <= Fraction(1, 2)


def test_forwards_are_never_negative() -> None:
    assert forwards(6, 2) == 4
    assert forwards(2, 6) == 0


def test_several_deliveries_add_messages_and_sum_estimates_and_forwards() -> None:
    one = Base(delivery=1, messages=4, text=2, delivered=4, fed=1, recipient_open=1, recipient_click=1, person_click=3)
    two = Base(delivery=2, messages=3, text=1, delivered=3, fed=1, recipient_open=1, recipient_click=2, person_click=1)
    both = indicators([one, two], person_click=3)
    assert (both.to_deliver, both.success, both.recipient_open) == (7, 7, 2)
    assert both.estimated_recipient_open == 2 + 2  # 1 × 4 / 2, and 1 × 3 / 2 rounded; on sums it would be 3.5
    assert both.forwards == 2 + 0  # on sums it would be 0
    assert both.person_click == 3
    assert both.person_click_rate == Fraction(3, 7)


def test_success_comes_from_states_only_where_the_feed_says_more_than_prepared() -> None:
    assert Base(messages=9, fed=0).success == 9
    assert Base(messages=9, fed=0, registered_success=7, registered_to_deliver=8).success == 7
    assert Base(messages=9, fed=0, registered_to_deliver=8).success == 8
    assert Base(messages=9, fed=1, complained=1, registered_success=7).success == 0
    assert Base(messages=9, fed=5, sent=2, delivered=3, deferred=1, registered_success=7).success == 5


def test_where_success_comes_from_is_said_for_every_delivery() -> None:
    bases = [Base(fed=1), Base(registered_success=3), Base(registered_to_deliver=2)]
    assert indicators(bases, 0).success_from == ("feed", "registry", "to_deliver")


def test_targeted_is_none_unless_some_sender_says_so() -> None:
    assert indicators([Base(), Base()], 0).targeted is None
    assert indicators([Base(targeted=3), Base()], 0).targeted == 3


def test_money_has_no_average_of_nothing() -> None:
    empty = Money("EUR", 0, 0, 0, 0)
    assert (empty.average_transaction, empty.articles_per_transaction, empty.amount_per_message) == (None, None, None)
    some = Money("EUR", 3, 1000, 4, 200)
    assert (some.average_transaction, some.amount_per_message) == (Fraction(1000, 3), Fraction(5))
