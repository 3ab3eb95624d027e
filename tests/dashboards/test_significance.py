"""Tests of rates, against values computed by hand with a table of the normal distribution, and Holm's."""

import pytest

from dashboards.significance import Proportion, against, holm, p_value


@pytest.mark.parametrize(
    ("a", "b", "p"),
    [
        # pooled 230/2000 = 0.115; error sqrt(0.115 * 0.885 * 2/1000) = 0.0142671; z = -0.030 / error = -2.1027
        ((100, 1000), (130, 1000), 0.0355),
        # pooled 110/200 = 0.55; error sqrt(0.55 * 0.45 * 2/100) = 0.0703562; z = 0.10 / error = 1.4213
        ((60, 100), (50, 100), 0.1552),
        # pooled 60/300 = 0.2; error sqrt(0.2 * 0.8 * (1/100 + 1/200)) = 0.0489898; z = -0.15 / error = -3.0619
        ((10, 100), (50, 200), 0.0022),
        ((500, 1000), (500, 1000), 1.0),
    ],
)
def test_p_is_that_of_the_table(a: tuple[int, int], b: tuple[int, int], p: float) -> None:
    assert p_value(Proportion(*a), Proportion(*b)) == pytest.approx(p, abs=0.0001)
    assert p_value(Proportion(*b), Proportion(*a)) == p_value(Proportion(*a), Proportion(*b))


def test_too_few_messages_give_no_answer() -> None:
    # pooled 10/200 = 0.05: five of a hundred are expected on each side, which is just enough
    assert p_value(Proportion(2, 100), Proportion(8, 100)) is not None
    assert p_value(Proportion(2, 100), Proportion(7, 100)) is None
    assert p_value(Proportion(98, 100), Proportion(93, 100)) is None  # too few that did not
    assert p_value(Proportion(0, 1000), Proportion(0, 1000)) is None
    assert p_value(Proportion(1000, 1000), Proportion(1000, 1000)) is None
    assert p_value(Proportion(0, 0), Proportion(50, 100)) is None
    assert p_value(Proportion(120, 100), Proportion(50, 100)) is None  # more than the whole: no share


def test_holms_correction() -> None:
    # sorted 0.005 * 4, 0.01 * 3, 0.03 * 2, 0.04 * 1 -> the last is raised to the one before it
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def test_one_against_the_others() -> None:
    shares = [Proportion(100, 1000), Proportion(130, 1000), Proportion(131, 1000)]
    single = p_value(shares[0], shares[1]), p_value(shares[0], shares[2]), p_value(shares[1], shares[2])
    assert None not in single
    first = against(shares, 0, chosen_by_rate=False)
    assert first[0] is None
    assert first[1:] == holm([single[0] or 0, single[1] or 0])
    best = against(shares, 2, chosen_by_rate=True)
    adjusted = holm([one or 0 for one in single])
    assert best == [adjusted[1], adjusted[2], None]
    assert against([Proportion(0, 10), Proportion(1, 10)], 0, chosen_by_rate=False) == [None, None]
