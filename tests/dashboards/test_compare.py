"""Report `compare`: what adds up, what stands side by side, and what the hints say."""

from fractions import Fraction

import pytest
from clickhouse_driver import Client

from dashboards import report_compare, report_indicators
from dashboards.choice import by_key
from dashboards.indicators import Cut
from dashboards.queries import Queries
from dashboards.report_compare import Against
from dashboards.scope import Scope
from tests.dashboards import recount
from tests.dashboards.happenings import Happening, Numbered, Registered, insert, register
from tests.dashboards.shown import figures, table
from tests.dashboards.test_recount import CUTS, counted_again, scope_of
from tests.dashboards.world import BIG, T0, World


def scope(queries: Queries, *keys: int) -> Scope:
    return Scope(queries, [by_key(queries, key) for key in keys], "people", live=True)


def clicked(numbered: Numbered, delivery: int, sent: int, clicks: int) -> list[Happening]:
    """A delivery with so many messages, of which so many clicked."""
    feed = [Happening(delivery, message, "delivered", T0) for message in range(sent)]
    hits = [Happening(delivery, message, "click", T0, person=message) for message in range(clicks)]
    return [numbered(one) for one in feed + hits]


def rates(queries: Queries, against: Against, *keys: int) -> dict[str, dict[str, object]]:
    return {row["indicator"]: row for row in table(report_compare.build(scope(queries, *keys), against), "rates")}


def test_two_deliveries_say_which_is_better(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    register(client, [Registered(1, "one", label="One"), Registered(2, "two", label="Two", contact_ms=T0)])
    insert(client, clicked(numbered, 1, 1000, 100) + clicked(numbered, 2, 1000, 130))
    shown = rates(queries, "best", 1, 2)
    click = shown["click_rate"]
    assert (click["a"], click["b"], click["reference"]) == (Fraction(1, 10), Fraction(13, 100), "B")
    assert click["hint"] == "B is better, unlikely to be chance (p = 0.035)"
    assert float(click["p"]) == pytest.approx(0.0355, abs=0.0001)  # type: ignore[arg-type]
    assert shown["ctr"]["hint"] == click["hint"]
    assert shown["success_rate"]["hint"] == "too few messages to tell"  # every message: nothing to compare
    assert shown["unsubscribe_rate"]["hint"] == "too few messages to tell"
    assert shown["person_click_rate"]["hint"] == "not tested: no share of messages"
    assert rates(queries, "first", 2, 1)["click_rate"]["hint"] == "A is better, unlikely to be chance (p = 0.035)"
    legend = table(report_compare.build(scope(queries, 1, 2), "best"), "deliveries")
    named = [(row["letter"], row["delivery"], row["success"]) for row in legend]
    assert named == [("A", "One", 1000), ("B", "Two", 1000)]


def test_several_deliveries_against_the_best_and_the_first(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    insert(client, [
        *clicked(numbered, 1, 1000, 100), *clicked(numbered, 2, 1000, 200), *clicked(numbered, 3, 1000, 195),
        *clicked(numbered, 4, 1000, 20),
    ])  # fmt: skip
    best = rates(queries, "best", 1, 2, 3, 4)["click_rate"]
    assert best["hint"] == "B is better than A, D, unlikely to be chance (p < 0.05)"
    first = rates(queries, "first", 1, 2, 3, 4)["click_rate"]
    assert first["hint"] == "better than A: B, C; worse: D; unlikely to be chance (p < 0.05)"
    worst = rates(queries, "first", 4, 1, 2)["click_rate"]
    assert worst["hint"] == "better than A: B, C; unlikely to be chance (p < 0.05)"
    assert rates(queries, "best", 2, 3)["click_rate"]["hint"] == "no clear difference (p = 0.779)"


def test_fewer_unsubscribes_are_better(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    gone = {1: 100, 2: 20}
    events = [Happening(d, m, "delivered", T0) for d in gone for m in range(1000)]
    events += [Happening(d, m, "unsubscribed", T0) for d, n in gone.items() for m in range(n)]
    insert(client, [numbered(one) for one in events])
    assert rates(queries, "best", 1, 2)["unsubscribe_rate"]["hint"] == "B is better, unlikely to be chance (p < 0.001)"


def test_one_delivery_and_too_many_are_only_cumulated(client: Client, queries: Queries) -> None:
    numbered = Numbered()
    insert(client, [numbered(Happening(delivery, 1, "click", T0)) for delivery in range(1, 12)])
    alone = report_compare.build(scope(queries, 1), "best")
    assert [part.key for part in alone.parts] == ["cumulated"]
    many = report_compare.build(scope(queries, *range(1, 12)), "best")
    assert [part.key for part in many.parts] == ["cumulated"]
    assert "More than 10 deliveries are not shown side by side." in many.notes
    assert figures(many, "cumulated")["total_click"] == 11


def test_a_delivery_without_anything_is_compared_without_rates(client: Client, queries: Queries) -> None:
    register(client, [Registered(1, "empty"), Registered(2, "empty too")])
    shown = rates(queries, "best", 1, 2)
    assert {row["a"] for row in shown.values()} == {None}
    assert {row["p"] for row in shown.values()} == {None}


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("keys", [[1, 2], [1, 2, 3, 4, BIG]], ids=str)
def test_the_comparison_equals_a_recount(
    world: World, world_queries: Queries, keys: list[int], cut: Cut, live: bool
) -> None:
    report = report_compare.build(scope_of(world_queries, keys, cut, live), "best")
    again = {one.delivery.delivery: one for one in counted_again(world, keys, cut)}
    each = [recount.indicators([again[key]]) for key in keys]
    together = recount.indicators(list(again.values()))
    shown = figures(report, "cumulated")
    assert shown == {name: together[name] for name in shown}
    for row in table(report, "counts"):
        assert [row[letter] for letter in "abcde"[: len(keys)]] == [one[row["indicator"]] for one in each]
        assert row["together"] == together[row["indicator"]]
    for row in table(report, "rates"):
        assert [row[letter] for letter in "abcde"[: len(keys)]] == [one[row["indicator"]] for one in each]
    assert shown == {name: value for name, value in figures(report_indicators.build(
        scope_of(world_queries, keys, cut, live), False, [], [])).items() if name in shown}  # fmt: skip
